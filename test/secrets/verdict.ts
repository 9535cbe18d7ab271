import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Secret } from "./forms.ts";
import { type Finding, SecretSearch } from "./search.ts";

export interface SecretsVerdict {
  /** One for each secret that stands somewhere, or for a search that looked at nothing. */
  readonly failures: readonly string[];
  /** What was done, in a line. */
  readonly told: string;
}

/**
 * Searches what a run left for the secrets that it used.
 * @param mustFind whether there has to be something to look for and to look at, since stacks ran: a search of nothing
 * proves nothing
 */
export async function judgeSecrets(folder: string, mustFind: boolean): Promise<SecretsVerdict> {
  const secrets = readSecrets(join(folder, "secrets"));
  const outputs = filesIn(join(folder, "outputs"));
  const bytes = outputs.reduce((sum, file) => sum + statSync(file).size, 0);
  const told = `${secrets.length} secrets looked for in ${outputs.length} outputs, ${bytes} bytes`;
  const failures: string[] = [];
  if (mustFind && secrets.length === 0) failures.push("no secret was registered although end-to-end tests ran");
  if (mustFind && bytes === 0) failures.push("no output was captured although end-to-end tests ran");
  const search = new SecretSearch(secrets);
  for (const file of outputs) failures.push(...(await search.searchFile(file)).map(describe));
  return { failures, told };
}

function describe({ file, line, kind, around }: Finding): string {
  return `${file.slice(file.lastIndexOf("/") + 1)}:${line}: a ${kind} stands in the output: ${around}`;
}

function readSecrets(folder: string): Secret[] {
  const lines = filesIn(folder).flatMap((file) => readFileSync(file, "utf8").trimEnd().split("\n"));
  const all = lines.map((line) => JSON.parse(line) as Secret);
  return [...new Map(all.map((secret) => [secret.value, secret])).values()];
}

function filesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
