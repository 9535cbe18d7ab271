import { pageSizeOf, wrongPageToken } from "@registry/domain";
import type { UseCase } from "../parts.ts";
import { toUserMessage } from "../wire.ts";

/** By id; the page token is the last id of the page before. */
export const listUsers: UseCase<"listUsers"> = (parts) => async (request) => {
  const size = pageSizeOf(request.page);
  const token = request.page?.pageToken || "0";
  if (!/^\d{1,15}$/.test(token)) throw wrongPageToken();
  const found = await parts.users.find({ _id: { $gt: Number(token) } }, { sort: [["_id", 1]], limit: size + 1 });
  const users = found.slice(0, size);
  return {
    users: users.map(toUserMessage),
    nextPageToken: found.length > size ? String(users.at(-1)?._id ?? "") : "",
  };
};
