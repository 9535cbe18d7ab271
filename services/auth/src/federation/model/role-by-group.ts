import type { User } from "../../model/user.ts";

type RoleFields = Pick<User, "role" | "roleWithoutGroup">;

/**
 * The role that a sign-in leaves a user with: administrator for as long as the group says so, and afterwards what it was
 * before. Whom an administrator made one by hand stays one.
 */
export function roleByGroup(user: RoleFields, isInAdminGroup: boolean): RoleFields {
  const { role, roleWithoutGroup } = user;
  if (isInAdminGroup) return role === "admin" ? { role, roleWithoutGroup } : { role: "admin", roleWithoutGroup: role };
  return { role: roleWithoutGroup ?? role, roleWithoutGroup: undefined };
}
