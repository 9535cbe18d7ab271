import type { HeldMembership, User } from "../model/user.ts";
import type { Parts } from "../parts.ts";
import { levelled } from "./model/memberships.ts";
import { memberNotFound } from "./model/organisation.ts";
import { tooBusy } from "./store/organisations.ts";

const attempts = 20;

export interface Changed {
  readonly before: User;
  readonly after: User;
  /** False: there was nothing to change. */
  readonly written: boolean;
}

/**
 * Changes what a user is a member of, in one write that holds only if nobody else did meanwhile.
 * @param change gives the memberships after it, or undefined to leave them; asked again where somebody else was faster
 */
export async function changeMemberships(
  parts: Parts,
  id: number,
  change: (user: User) => Promise<readonly HeldMembership[] | undefined>,
): Promise<Changed> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = await parts.users.findOne({ _id: id });
    if (before === null) throw memberNotFound();
    const memberships = await change(before);
    if (memberships === undefined) return { before, after: before, written: false };
    const { matchedCount } = await parts.users.updateOne(
      { _id: id, membershipsRevision: before.membershipsRevision ?? null },
      { $set: { memberships }, $inc: { membershipsRevision: 1 } },
    );
    if (matchedCount > 0) return { before, after: { ...before, memberships }, written: true };
  }
  throw tooBusy();
}

/** Brings a member to what the organisation allows, as often as that changes meanwhile. */
export async function levelMember(parts: Parts, name: string, id: number): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const organisation = await parts.organisations.find(name);
    if (organisation === null) return;
    await changeMemberships(parts, id, async (user) => levelled(user, organisation));
    if ((await parts.organisations.find(name))?.revision === organisation.revision) return;
  }
  throw tooBusy();
}
