import { setTimeout as pause } from "node:timers/promises";

/** What OTLP has a sender try again. */
const again: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const firstPauseMs = 500;
const longestPauseMs = 5000;

/** More than that of an answer is not worth a connection that can be used again. */
const drainedBytes = 64 * 1024;

class Refused extends Error {}

/**
 * Posts until it is taken, again and again while the receiver is away or busy.
 * @param signal ends it
 * @throws where it is refused for good, or with why it was not taken so far once the signal is aborted
 */
export async function postUntilTaken(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  let cause: unknown;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await post(url, headers, body, signal);
    } catch (error) {
      if (error instanceof Refused) throw error;
      if (signal.aborted) throw cause ?? error;
      cause = error;
    }
    await pause(pauseMs, undefined, { signal }).catch(() => {
      throw cause;
    });
  }
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
