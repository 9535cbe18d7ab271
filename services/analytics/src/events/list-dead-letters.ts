import { invalid, pageSizeOf } from "@registry/domain";
import { positionAfter, readPosition, tokenOf } from "../model/paging.ts";
import type { EventUseCase } from "./parts.ts";
import { toDeadLetter } from "./wire.ts";

export const listDeadLetters: EventUseCase<"listDeadLetters"> =
  (parts) =>
  async ({ page, group }) => {
    const size = pageSizeOf(page);
    if (!/^(?:[a-z][a-z0-9-]{0,63})?$/.test(group)) throw invalid("INVALID_GROUP", "group: no such name", "/group");
    const from = readPosition(page?.pageToken ?? "");
    const after = { since: from.at ?? new Date(0), skip: from.skip };
    const found = await parts.deadLetters.page(group, after, size + 1);
    const shown = found.slice(0, size);
    const times = shown.map(({ firstParkedAt }) => firstParkedAt);
    return {
      deadLetters: shown.map((letter) => toDeadLetter(letter)),
      nextPageToken: found.length > size ? tokenOf(positionAfter(times, from)) : "",
    };
  };
