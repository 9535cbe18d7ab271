import { createHash } from "node:crypto";
import { captureFailure, registerSecret, registerSecretsIn } from "../secrets/record.ts";

/** One complete answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** @throws where the body is no JSON; the shape is the test's to assert */
  json<T = unknown>(): T;
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Ends the request early. */
  readonly signal?: AbortSignal;
}

const deadline = 60_000;

/** One HTTP exchange; redirects are not followed and nothing is thrown for a status. */
export async function exchange(method: string, url: string, sent: Sent = {}): Promise<Answer> {
  const limit = AbortSignal.timeout(deadline);
  registerSent(sent);
  const body = sent.json === undefined ? sent.body : JSON.stringify(sent.json);
  const response = await fetch(url, {
    method,
    redirect: "manual",
    headers: { ...(sent.json === undefined ? {} : { "content-type": "application/json" }), ...sent.headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : Buffer.from(body) }),
    signal: sent.signal === undefined ? limit : AbortSignal.any([limit, sent.signal]),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = Buffer.from(bytes).toString("utf8");
  registerReceived(response, text);
  return { status: response.status, headers: response.headers, bytes, text, json: <T>() => JSON.parse(text) as T };
}

/** What a request proves its sender with must be in no log. */
function registerSent({ headers, json }: Sent): void {
  registerSecretsIn(json);
  const credential = /^Bearer (.+)$/.exec(headers?.authorization ?? "")?.[1];
  if (credential !== undefined) registerSecret("credential", credential);
}

/** So must what is handed out; and what tells of a failure must hold neither. */
function registerReceived(response: Response, text: string): void {
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("application/problem+json")) captureFailure(`${response.status} ${text}`);
  else if (type.startsWith("application/json") && response.ok) registerSecretsIn(JSON.parse(text));
}

/** Lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
