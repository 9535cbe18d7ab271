import type { Readable } from "node:stream";
import { cancelled } from "./rules.ts";

/** Ends the stream with kind `cancelled` when the signal is aborted, now or until the stream closes. */
export function abortable<T extends Readable>(stream: T, signal: AbortSignal | undefined): T {
  if (signal === undefined) return stream;
  // The abort may come before the reader listens; it still meets the error when it reads.
  stream.on("error", () => undefined);
  const abort = (): void => void stream.destroy(cancelled(signal.reason));
  signal.addEventListener("abort", abort, { once: true });
  stream.once("close", () => signal.removeEventListener("abort", abort));
  if (signal.aborted) abort();
  return stream;
}
