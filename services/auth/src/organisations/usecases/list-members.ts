import { readPage } from "@registry/domain";
import { asReader } from "../access.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toMemberMessage } from "../wire.ts";

/** By username; the page token is the last one of the page before. */
export const listMembers: OrgUseCase<"listMembers"> = (parts) => async (request, context) => {
  const { organisation } = await asReader(parts, context, request.organisation);
  const { size, after } = readPage(request.page);
  const found = await parts.users.find(
    { "memberships.org": organisation._id, username: { $gt: after } },
    { sort: [["username", 1]], limit: size + 1 },
  );
  const members = found.slice(0, size);
  return {
    members: members.map((user) => toMemberMessage(user, organisation._id)),
    nextPageToken: found.length > size ? (members.at(-1)?.username ?? "") : "",
  };
};
