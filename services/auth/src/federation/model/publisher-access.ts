import { type Caller, isAdmin, isUnscoped } from "@registry/domain";
import type { TrustedPublisher } from "./trusted-publisher.ts";

/** Organisations that the caller owns. */
export function ownedBy(caller: Caller): string[] {
  if (!isUnscoped(caller)) return [];
  return (caller.memberships ?? []).filter(({ role }) => role === "owner").map(({ org }) => org);
}

/** Who sees a trusted publisher may delete it as well: whoever made it, the organisation's owners, administrators. */
export function mayManage(caller: Caller, { createdBy, namespace }: TrustedPublisher): boolean {
  if (!isUnscoped(caller)) return false;
  if (isAdmin(caller) || createdBy === caller.id) return true;
  return namespace !== undefined && ownedBy(caller).includes(namespace);
}
