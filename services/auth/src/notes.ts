import type { User } from "./model/user.ts";

/** What the audit log keeps of a user. */
export function userNote({ role, grants, disabled, email }: User): object {
  return { role, grants: [...grants], disabled, ...(email === undefined ? {} : { email }) };
}
