import type { OtlpTarget } from "../settings.ts";
import { Refused, type Sender } from "./sending.ts";

/** What OTLP has a sender try again. */
const again: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** More than that of an answer is not worth a connection that can be used again. */
const drainedBytes = 64 * 1024;

/** OTLP over HTTP. */
export function poster(target: OtlpTarget, type: string): Sender {
  const headers = { ...Object.fromEntries(target.headers), "content-type": type };
  return {
    send: (body, signal) => post(target.url, headers, body, signal),
    close() {},
  };
}

async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength) as Buffer<ArrayBuffer>;
  // The headers may hold a key, which is for this address and no other.
  const response = await fetch(url, { method: "POST", headers, body: bytes, signal, redirect: "error" });
  await drain(response);
  if (response.ok) return;
  const message = `The collector answered ${response.status}`;
  throw again.has(response.status) ? new Error(message) : new Refused(message);
}

/** Reads what there is, so that the connection can be used again. */
async function drain(response: Response): Promise<void> {
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > drainedBytes) return;
  }
}
