import type { ListChangesRequest } from "@registry/contracts/changes";
import { invalid } from "@registry/domain";
import type { Keys } from "@registry/kit";
import { cursorExpired, cursorOf, numberIn } from "../cursor.ts";
import type { Change } from "../model/change.ts";
import type { ChangeParts, ChangeUseCase } from "../parts.ts";
import { visibleAmong } from "../visible.ts";

const usualLimit = 100;
const highestLimit = 500;
/** Looked at in one call, however few of them the caller may see. */
const mostScanned = 1000;

export const listChanges: ChangeUseCase<"listChanges"> = (parts) => async (request, context) => {
  const { keys, tail, clients } = parts;
  const limit = request.limit || usualLimit;
  if (limit < 1 || limit > highestLimit) {
    throw invalid("INVALID_LIMIT", `limit must be 1 to ${highestLimit}`, "/limit");
  }
  if (request.head !== "" && numberIn(keys, request.head) > (await tail.head())) await tail.refresh();
  const since = await startOf(parts, request);
  const { rows, floor } = await tail.after(since, mostScanned);
  if (floor > since && request.since !== "") throw cursorExpired();
  const visible = await visibleAmong(clients, rows, { context });
  const page = visible.slice(0, limit);
  const last = visible.length > limit ? page.at(-1) : rows.at(-1);
  const next = last?._id ?? Math.max(since, floor);
  return {
    changes: page.map((change) => toMessage(keys, change)),
    next: cursorOf(keys, next),
    more: next < (await tail.head()),
  };
};

async function startOf(parts: ChangeParts, { since }: ListChangesRequest): Promise<number> {
  if (since === "now") return parts.tail.head();
  return since === "" ? parts.changes.floor() : await placeOf(parts, since);
}

/** Nobody has come further than the feed: where it was taken back to a copy, what comes next is not what was there. */
async function placeOf({ keys, tail }: ChangeParts, cursor: string): Promise<number> {
  const number = numberIn(keys, cursor);
  if (number > (await tail.head())) await tail.refresh();
  if (number > (await tail.head())) throw cursorExpired();
  return number;
}

function toMessage(keys: Keys, { _id, eventId: id, type, plugin, version = "", time, sha256 = "" }: Change) {
  return { id, type, plugin, version, time, sha256, cursor: cursorOf(keys, _id) };
}
