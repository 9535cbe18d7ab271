import { setTimeout as pause } from "node:timers/promises";

const firstPauseMs = 500;
const longestPauseMs = 5000;

/** The collector does not want it: that would be no different another time. */
export class Refused extends Error {}

/** A way to a collector. */
export interface Sender {
  /** Once. @throws Refused where it is of no use to try again */
  send(body: Uint8Array, signal: AbortSignal): Promise<void>;
  close(): void;
}

/**
 * Sends until it is taken, again and again while the receiver is away or busy.
 * @param signal ends it
 * @throws where it is refused for good, or with why it was not taken so far once the signal is aborted
 */
export async function untilTaken(sender: Sender, body: Uint8Array, signal: AbortSignal): Promise<void> {
  let cause: unknown;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await sender.send(body, signal);
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
