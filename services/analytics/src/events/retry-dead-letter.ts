import { eventOf } from "@registry/bus";
import { RegistryError } from "@registry/domain";
import type { EventUseCase } from "./parts.ts";
import { auditOf, noDeadLetter, toDeadLetter } from "./wire.ts";

/** A retry of which nothing was heard for so long was most likely for a group that nobody subscribes to any more. */
const staleMs = 10 * 60_000;

/** The retry is recorded with the state, so that it is sent though this process dies, and to that group alone. */
export const retryDeadLetter: EventUseCase<"retryDeadLetter"> =
  (parts) =>
  async ({ id }, context) => {
    const letter = await parts.deadLetters.find(id);
    if (letter?.event === undefined) throw noDeadLetter();
    context.audit(auditOf(letter));
    const now = parts.clock.now();
    const { group, attempts } = letter;
    const event = { ...eventOf(letter.event), again: { key: parts.ids.unique(), group, attempts } };
    const retried = await parts.deadLetters.retry(letter, event, now, new Date(now.getTime() - staleMs));
    if (retried === null) throw underWay();
    parts.relay.kick();
    return { deadLetter: toDeadLetter(retried) };
  };

const underWay = (): RegistryError =>
  new RegistryError("conflict", "DEAD_LETTER_UNDER_WAY", "A retry of it is under way; look at it again in a moment");
