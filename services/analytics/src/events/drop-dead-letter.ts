import type { EventUseCase } from "./parts.ts";
import { auditOf, noDeadLetter } from "./wire.ts";

export const dropDeadLetter: EventUseCase<"dropDeadLetter"> =
  (parts) =>
  async ({ id }, context) => {
    const letter = await parts.deadLetters.find(id);
    if (letter === null) throw noDeadLetter();
    context.audit(auditOf(letter));
    if (!(await parts.deadLetters.drop(id, parts.clock.now()))) throw noDeadLetter();
    return {};
  };
