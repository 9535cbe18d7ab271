import { RegistryError } from "@registry/domain";
import type { EventUseCase } from "./parts.ts";
import { sendAgain } from "./send-again.ts";
import { auditOf, noDeadLetter, toDeadLetter } from "./wire.ts";

export const retryDeadLetter: EventUseCase<"retryDeadLetter"> =
  (parts) =>
  async ({ id }, context) => {
    const letter = await parts.deadLetters.find(id);
    if (letter?.event === undefined) throw noDeadLetter();
    if (letter.unreadable === true) throw unreadable();
    context.audit(auditOf(letter));
    const retried = await sendAgain(parts, letter);
    if (retried === null) throw (await parts.deadLetters.find(id)) === null ? noDeadLetter() : underWay();
    return { deadLetter: toDeadLetter(retried) };
  };

const unreadable = (): RegistryError =>
  new RegistryError(
    "conflict",
    "DEAD_LETTER_UNREADABLE",
    "This message is no event, so nothing can handle it; drop it",
  );

const underWay = (): RegistryError =>
  new RegistryError("conflict", "DEAD_LETTER_UNDER_WAY", "A retry of it is under way; look at it again in a moment");
