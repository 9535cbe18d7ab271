import { createHash } from "node:crypto";

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
  return { status: response.status, headers: response.headers, bytes, text, json: <T>() => JSON.parse(text) as T };
}

/** Lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
