import { Periodic } from "@registry/kit";
import type { EventParts } from "./parts.ts";
import { sendAgain } from "./send-again.ts";

const everyMs = 2000;
const atOnce = 100;
const pauseMsPerAttempt = 1000;
const longestPauseMs = 5 * 60_000;
/** With the pauses of the bus itself, about a day. */
const mostAttempts = 2000;

/** When something that was away may be back. @returns undefined where that was hoped for often enough */
export function retryAfter(attempts: number, now: Date): Date | undefined {
  if (attempts >= mostAttempts) return undefined;
  return new Date(now.getTime() + Math.min(attempts * pauseMsPerAttempt, longestPauseMs));
}

export type RetrierDeps = Pick<EventParts, "deadLetters" | "clock" | "ids" | "relay" | "log">;

/** Sends events once more whose group gave them up since a store or a service was away: nobody has to decide on those. */
export class Retrier {
  readonly #deps: RetrierDeps;
  readonly #looking: Periodic;

  constructor(deps: RetrierDeps) {
    this.#deps = deps;
    const failed = "dead letters are not retried now, looked for again";
    this.#looking = new Periodic(() => this.#look(), { everyMs, log: deps.log, failed });
  }

  start(): void {
    this.#looking.start();
  }

  async #look(): Promise<void> {
    const { deadLetters, clock } = this.#deps;
    for (const letter of await deadLetters.due(clock.now(), atOnce)) await sendAgain(this.#deps, letter);
  }

  close(): Promise<void> {
    return this.#looking.close();
  }
}
