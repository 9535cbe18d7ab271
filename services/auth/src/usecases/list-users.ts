import { invalid } from "@registry/domain";
import type { UseCase } from "../parts.ts";
import { toUserMessage } from "../wire.ts";

const defaultSize = 50;
const maxSize = 500;

/** By id; the page token is the last id of the page before. */
export const listUsers: UseCase<"listUsers"> = (parts) => async (request) => {
  const size = request.page?.pageSize || defaultSize;
  if (size < 1 || size > maxSize) throw invalid("INVALID_PAGE_SIZE", `page_size must be 1 to ${maxSize}`, "/page_size");
  const token = request.page?.pageToken || "0";
  if (!/^\d{1,15}$/.test(token)) {
    throw invalid("INVALID_PAGE_TOKEN", "page_token must be next_page_token of the page before", "/page_token");
  }
  const found = await parts.users.find({ _id: { $gt: Number(token) } }, { sort: [["_id", 1]], limit: size + 1 });
  const users = found.slice(0, size);
  return {
    users: users.map(toUserMessage),
    nextPageToken: found.length > size ? String(users.at(-1)?._id ?? "") : "",
  };
};
