import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setting } from "../servers/environment.ts";

/**
 * What a test run leaves, for the search that follows it: secrets in `secrets/`, what processes printed and what they
 * answered in `outputs/`. Each test process has files of its own.
 */
export const folderSetting = "TEST_SECRETS_FOLDER";

/** Shorter ones occur by chance. */
export const shortestSecret = 12;

const known = new Set<string>();
let outputs = 0;

function fileIn(folder: string, kind: "secrets" | "outputs", name: string): string {
  mkdirSync(join(folder, kind), { recursive: true });
  return join(folder, kind, name);
}

/**
 * Has the search after the run look for a secret. Does nothing where no run is recorded.
 * @param kind what a finding calls it, e.g. `password`
 */
export function registerSecret(kind: string, value: string): void {
  const folder = setting(folderSetting);
  if (folder === undefined || value.length < shortestSecret || known.has(value)) return;
  known.add(value);
  appendFileSync(fileIn(folder, "secrets", `${process.pid}.jsonl`), `${JSON.stringify({ kind, value })}\n`);
}

/** Where everything that a process prints is kept for the search: call it with each piece. */
export function captureOutput(name: string): (text: string) => void {
  const folder = setting(folderSetting);
  if (folder === undefined) return () => undefined;
  outputs += 1;
  const file = fileIn(folder, "outputs", `${process.pid}-${outputs}-${name}.log`);
  return (text) => appendFileSync(file, text);
}

let keepAnswer: ((text: string) => void) | undefined;

/** Keeps an answer that tells of a failure: it must not hold a secret either. */
export function captureFailure(text: string): void {
  keepAnswer ??= captureOutput("failures");
  keepAnswer(`${text}\n`);
}

/** JSON fields that hold secrets, in requests and in answers. */
const secretFields: Readonly<Record<string, string>> = {
  password: "password",
  current_password: "password",
  new_password: "password",
  token: "signed token",
  access_token: "signed token",
  id_token: "signed token",
  refresh_token: "signed token",
  secret: "secret that is shown once",
  api_token: "API token",
  client_secret: "client secret",
  totp_secret: "TOTP secret",
  recovery_codes: "recovery code",
  uri: "TOTP address",
  download_url: "signed address",
};

/** Registers whatever a JSON value holds in fields of secrets, at any depth. */
export function registerSecretsIn(value: unknown, kind?: string): void {
  if (typeof value === "string" && kind !== undefined) registerSecret(kind, secretPart(value));
  if (Array.isArray(value)) for (const item of value) registerSecretsIn(item, kind);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  for (const [field, inner] of Object.entries(value)) registerSecretsIn(inner, secretFields[field]);
}

/** Of an address, what makes it a secret: nothing else in it is one. */
function secretPart(value: string): string {
  if (!URL.canParse(value)) return value;
  const { searchParams } = new URL(value);
  return searchParams.get("ticket") ?? searchParams.get("X-Amz-Signature") ?? searchParams.get("secret") ?? "";
}
