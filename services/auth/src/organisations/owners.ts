import { RegistryError } from "@registry/domain";
import type { User } from "../model/user.ts";
import type { Parts } from "../parts.ts";
import { type Changed, changeMemberships } from "./change-memberships.ts";
import { membershipIn } from "./model/memberships.ts";
import { isLive, organisationNotFound } from "./model/organisation.ts";

/*
 * An organisation lists its owners so that the last one cannot leave: who stops being one is first taken off the list,
 * in one write that checks that another stays. The list may lack an owner, but it never names anybody who is none:
 * whoever becomes one is announced, made one, and listed only if the announcement still stands, and whoever stops being
 * one takes the announcement away as well.
 */

const lastOwner = (): RegistryError =>
  new RegistryError("conflict", "LAST_OWNER", "This is the last owner; make another member one first");

/**
 * @param write makes the user an owner
 * @throws kind `not_found` where the organisation is no more
 */
export async function becomingOwner(
  parts: Parts,
  org: string,
  id: number,
  write: () => Promise<Changed>,
): Promise<Changed> {
  const stamp = parts.ids.unique();
  if (!(await parts.organisations.beginOwner(org, id, stamp))) throw organisationNotFound();
  let changed: Changed | undefined;
  try {
    changed = await write();
    return changed;
  } finally {
    if (changed?.written === true) await parts.organisations.endOwner(org, id, stamp);
    else await parts.organisations.cancelOwner(org, stamp);
  }
}

/**
 * How one owner of the organisation leaves the list, before its rights go.
 * @returns to be called before each attempt to change the membership; @throws kind `conflict`, reason `LAST_OWNER`
 */
export function leavingOwner(parts: Parts, org: string, id: number): () => Promise<void> {
  let mended = false;
  return async () => {
    if (await parts.organisations.removeOwner(org, id)) return;
    // Once: two owners who remove each other would else put each other back for ever.
    if (mended || !(await listAnother(parts, org, id))) throw lastOwner();
    mended = true;
    if (!(await parts.organisations.removeOwner(org, id))) throw lastOwner();
  };
}

/** Lists an owner whom a crash kept off the list. @returns whether there was one */
async function listAnother(parts: Parts, org: string, id: number): Promise<boolean> {
  const other = await parts.users.findOne({
    memberships: { $elemMatch: { org, role: "owner" } },
    _id: { $ne: id },
    disabled: false,
  });
  return other !== null && (await affirmOwner(parts, org, other._id));
}

/** Lists somebody who is an active owner. @returns false for anybody else */
async function affirmOwner(parts: Parts, org: string, id: number): Promise<boolean> {
  const { written } = await becomingOwner(parts, org, id, () =>
    changeMemberships(parts, id, async (user) =>
      !user.disabled && membershipIn(user, org)?.role === "owner" ? user.memberships : undefined,
    ),
  );
  return written;
}

/** Takes somebody who is being disabled off every list: such an owner keeps no organisation. */
export async function dropFromOwners(parts: Parts, user: User): Promise<void> {
  for (const { org, role } of user.memberships ?? []) {
    if (role === "owner") await parts.organisations.dropOwner(org, user._id);
  }
}

/** Of somebody who is enabled again. */
export async function affirmOwnerships(parts: Parts, user: User): Promise<void> {
  for (const { org, role } of user.memberships ?? []) {
    if (role === "owner" && isLive(await parts.organisations.find(org))) await affirmOwner(parts, org, user._id);
  }
}
