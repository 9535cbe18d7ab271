import { cursorOf } from "../cursor.ts";
import type { ChangeUseCase } from "../parts.ts";

export const watchHead: ChangeUseCase<"watchHead"> = ({ keys, tail }) =>
  async function* (_request, { signal }) {
    for await (const head of tail.watch(signal)) {
      yield { head: head === undefined ? "" : cursorOf(keys, head) };
    }
  };
