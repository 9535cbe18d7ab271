import { invalid, type RegistryError } from "@registry/domain";
import type { DeadLetter } from "../store/dead-letters.ts";
import type { EventUseCase } from "./parts.ts";
import { toDeadLetter } from "./wire.ts";

export const listDeadLetters: EventUseCase<"listDeadLetters"> =
  (parts) =>
  async ({ page, group }) => {
    const size = page?.pageSize || 50;
    if (size < 1 || size > 500) throw invalid("INVALID_PAGE_SIZE", "page_size: use 1 to 500", "/page/page_size");
    if (!/^(?:[a-z][a-z0-9-]{0,63})?$/.test(group)) throw invalid("INVALID_GROUP", "group: no such name", "/group");
    const after = readCursor(page?.pageToken ?? "");
    const found = await parts.deadLetters.page(group, after, size + 1);
    const shown = found.slice(0, size);
    const last = shown.at(-1);
    return {
      deadLetters: shown.map((letter) => toDeadLetter(letter)),
      nextPageToken: found.length > size && last !== undefined ? cursorOf(shown, last, after) : "",
    };
  };

/** Since when the last one is parked, and how many of the same moment were passed. */
function cursorOf(shown: readonly DeadLetter[], { firstParkedAt }: DeadLetter, after: ReturnType<typeof readCursor>) {
  const moment = firstParkedAt.getTime();
  const same = shown.filter((letter) => letter.firstParkedAt.getTime() === moment).length;
  return `${moment}-${same + (after.since.getTime() === moment ? after.skip : 0)}`;
}

function readCursor(token: string): { since: Date; skip: number } {
  if (token === "") return { since: new Date(0), skip: 0 };
  const [, time, skip] = /^(\d{1,15})-(\d{1,6})$/.exec(token) ?? [];
  if (time === undefined) throw wrongToken();
  return { since: new Date(Number(time)), skip: Number(skip) };
}

const wrongToken = (): RegistryError =>
  invalid("INVALID_PAGE_TOKEN", "page_token: use the next_page_token of the previous answer", "/page/page_token");
