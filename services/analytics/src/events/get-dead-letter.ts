import type { EventUseCase } from "./parts.ts";
import { noDeadLetter, toDeadLetter } from "./wire.ts";

export const getDeadLetter: EventUseCase<"getDeadLetter"> =
  (parts) =>
  async ({ id }) => {
    const letter = await parts.deadLetters.find(id);
    if (letter === null) throw noDeadLetter();
    return { deadLetter: toDeadLetter(letter, true) };
  };
