import { partsOf } from "@registry/kit";
import type { User } from "../model/user.ts";
import type { Parts } from "../parts.ts";
import { levelMember } from "./change-memberships.ts";
import { levelled } from "./model/memberships.ts";
import { isLive, lowered, type Organisation, stampsIn } from "./model/organisation.ts";

const pageSize = 500;
const atOnce = 20;

/**
 * Brings what members hold down to what the organisation's document says, and then lets the document show what was
 * marked there. In this order, so that nobody ever holds a right that the organisation does not show; it may be done
 * again at any time, and is, where a crash or a change at the same moment left something over.
 */
export async function settle(parts: Parts, organisation: Organisation): Promise<void> {
  if (!isLive(organisation)) return settleClosing(parts, organisation);
  for await (const members of memberPages(parts, organisation._id)) {
    const wrong = members.filter((member) => levelled(member, organisation) !== undefined);
    await inGroups(parts, wrong, (member) => levelMember(parts, organisation._id, member._id));
  }
  const stamps = stampsIn(organisation.teams);
  if (stamps.size === 0) return;
  await parts.organisations.changeTeams(organisation._id, (teams) => lowered(teams, stamps), undefined);
}

async function settleClosing(parts: Parts, { _id }: Organisation): Promise<void> {
  for await (const accounts of accountPages(parts, _id)) {
    await inGroups(parts, accounts, (account) => endServiceAccount(parts, _id, account._id));
  }
  if ((await parts.users.findOne({ "memberships.org": _id })) !== null) {
    await parts.withdraw(() =>
      parts.users.updateMany(
        { "memberships.org": _id },
        { $pull: { memberships: { org: _id } }, $inc: { membershipsRevision: 1 } },
      ),
    );
  }
  await parts.organisations.endClosing(_id, parts.clock.now());
}

/** Its rights go in one write; the tokens, which hold no longer then, after it. */
export async function endServiceAccount(parts: Parts, org: string, id: number): Promise<void> {
  await parts.users.updateOne(
    { _id: id, serviceAccountOf: org },
    { $set: { disabled: true }, $pull: { memberships: { org } }, $inc: { membershipsRevision: 1 } },
  );
  await parts.apiTokens.deleteMany({ userId: id });
}

/** Members by username, page by page. */
export async function* memberPages(parts: Parts, org: string): AsyncGenerator<readonly User[]> {
  yield* pages((after) =>
    parts.users.find(
      { "memberships.org": org, username: { $gt: after } },
      { sort: [["username", 1]], limit: pageSize, fields: ["username", "memberships"] },
    ),
  );
}

function accountPages(parts: Parts, org: string): AsyncGenerator<readonly User[]> {
  return pages((after) =>
    parts.users.find(
      { serviceAccountOf: org, disabled: false, username: { $gt: after } },
      { sort: [["username", 1]], limit: pageSize, fields: ["username"] },
    ),
  );
}

async function* pages(read: (after: string) => Promise<User[]>): AsyncGenerator<readonly User[]> {
  let after = "";
  for (;;) {
    const page = await read(after);
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    after = last.username;
  }
}

async function inGroups(parts: Parts, users: readonly User[], work: (user: User) => Promise<void>): Promise<void> {
  if (users.length === 0) return;
  await parts.withdraw(async () => {
    for (const some of partsOf(users, atOnce)) await Promise.all(some.map(work));
  });
}
