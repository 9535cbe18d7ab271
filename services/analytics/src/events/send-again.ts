import { eventOf } from "@registry/bus";
import type { DeadLetter } from "../store/dead-letters.ts";
import type { EventParts } from "./parts.ts";

/** A retry of which nothing was heard for so long was most likely for a group that nobody subscribes to any more. */
const staleMs = 10 * 60_000;

/**
 * Records the retry with the state, so that it is sent though this process dies, and to that group alone.
 * @returns null where a retry is under way, or the dead letter is not there any more
 */
export async function sendAgain(
  { deadLetters, clock, ids, relay }: Pick<EventParts, "deadLetters" | "clock" | "ids" | "relay">,
  letter: DeadLetter,
): Promise<DeadLetter | null> {
  if (letter.event === undefined) return null;
  const now = clock.now();
  const { group, attempts } = letter;
  const event = { ...eventOf(letter.event), again: { key: ids.unique(), group, attempts } };
  const retried = await deadLetters.retry(letter, event, now, new Date(now.getTime() - staleMs));
  if (retried !== null) relay.kick();
  return retried;
}
