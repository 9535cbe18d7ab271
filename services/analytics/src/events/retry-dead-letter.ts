import { RegistryError } from "@registry/domain";
import type { EventUseCase } from "./parts.ts";
import { sendAgain } from "./send-again.ts";
import { auditOf, noDeadLetter, toDeadLetter } from "./wire.ts";

export const retryDeadLetter: EventUseCase<"retryDeadLetter"> =
  (parts) =>
  async ({ id }, context) => {
    const letter = await parts.deadLetters.find(id);
    if (letter?.event === undefined) throw noDeadLetter();
    context.audit(auditOf(letter));
    const retried = await sendAgain(parts, letter);
    if (retried === null) throw underWay();
    return { deadLetter: toDeadLetter(retried) };
  };

const underWay = (): RegistryError =>
  new RegistryError("conflict", "DEAD_LETTER_UNDER_WAY", "A retry of it is under way; look at it again in a moment");
