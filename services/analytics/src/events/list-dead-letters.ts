import { isGroupName } from "@registry/bus";
import { invalid, pageSizeOf, wrongPageToken } from "@registry/domain";
import type { DeadLetter, ListedAt } from "../store/dead-letters.ts";
import type { EventUseCase } from "./parts.ts";
import { toDeadLetter } from "./wire.ts";

export const listDeadLetters: EventUseCase<"listDeadLetters"> =
  (parts) =>
  async ({ page, group }) => {
    const size = pageSizeOf(page);
    if (group !== "" && !isGroupName(group)) throw invalid("INVALID_GROUP", "group: no such name", "/group");
    const found = await parts.deadLetters.page(group, readAfter(page?.pageToken ?? ""), size + 1);
    const shown = found.slice(0, size);
    const last = shown.at(-1);
    return {
      deadLetters: shown.map((letter) => toDeadLetter(letter)),
      nextPageToken: found.length > size && last !== undefined ? tokenOf(last) : "",
    };
  };

/** The last one itself and not how many were shown: whoever reads page by page may drop them meanwhile. */
const tokenOf = ({ _id, firstParkedAt }: DeadLetter): string => `${firstParkedAt.getTime()}-${_id}`;

function readAfter(token: string): ListedAt {
  if (token === "") return { firstParkedAt: new Date(0), id: "" };
  const [, time = "", id = ""] = /^(\d{1,15})-([0-9a-f]{40})$/.exec(token) ?? [];
  if (id === "") throw wrongPageToken();
  return { firstParkedAt: new Date(Number(time)), id };
}
