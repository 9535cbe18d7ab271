import type { UpdateUserRequest } from "@registry/contracts/auth";
import { invalid, RegistryError } from "@registry/domain";
import { checkNewPassword, isActiveAdmin, parseEmail, parseRights, parseRole, type User } from "../model/user.ts";
import { userNote } from "../notes.ts";
import { affirmOwnerships, dropFromOwners } from "../organisations/owners.ts";
import type { Parts, UseCase } from "../parts.ts";
import { explainDuplicate } from "../store/users.ts";
import { toUserMessage } from "../wire.ts";
import { userByName } from "./get-user.ts";
import { newPasswordFields } from "./set-password.ts";

export const updateUser: UseCase<"updateUser"> = (parts) => async (request, context) => {
  const user = await userByName(parts, request.username);
  context.audit({ target: user.username });
  refuseForServiceAccount(user, request);
  const rights = rightsIn(request);
  const email = request.email === undefined ? {} : parseEmail(request.email);
  if (request.password !== undefined) checkNewPassword(request.password);
  const password = request.password === undefined ? {} : await newPasswordFields(parts, request.password);
  const changes = { ...rights, ...email, ...password };
  const after = { ...user, ...changes };
  if (Object.keys(changes).length === 0) {
    context.audit({ unchanged: true });
    return { user: toUserMessage(user) };
  }
  const newPassword = request.password === undefined ? {} : { password: "another one" };
  context.audit({ before: userNote(user), after: { ...userNote(after), ...newPassword } });

  const write = (): Promise<void> => keepingAnAdmin(parts, user, after, () => set(parts, user, changes));
  const change = (): Promise<void> => followedByOwnerships(parts, user, after, write);
  const withdraws = Object.keys(rights).length > 0 || request.password !== undefined;
  await (withdraws ? parts.withdraw(change) : change());
  return { user: toUserMessage(await userByName(parts, user.username)) };
};

function rightsIn(request: UpdateUserRequest): Partial<Pick<User, "role" | "grants" | "disabled">> {
  const { role, grants, disabled } = request;
  return {
    ...(role === undefined ? {} : { role: parseRole(role) }),
    ...(grants === undefined ? {} : { grants: parseRights(grants.grants, "grants") }),
    ...(disabled === undefined ? {} : { disabled }),
  };
}

async function set(parts: Parts, user: User, changes: Partial<Omit<User, "_id">>): Promise<void> {
  try {
    // Who is being made a member or an owner at this moment has to be looked at again.
    const counted = changes.disabled === undefined ? {} : { $inc: { membershipsRevision: 1 } };
    await parts.users.updateOne({ _id: user._id }, { $set: changes, ...counted });
  } catch (error) {
    throw explainDuplicate(error);
  }
}

/** It works for one organisation, by tokens alone; once it is deleted it stays so. */
function refuseForServiceAccount(user: User, { role, password, email, disabled }: UpdateUserRequest): void {
  if (user.serviceAccountOf === undefined) return;
  const refuse = (field: string, text: string): RegistryError => invalid("SERVICE_ACCOUNT", text, `/${field}`);
  if (role !== undefined && role !== "user") throw refuse("role", "role: a service account has the role user alone");
  if (password !== undefined) throw refuse("password", "password: a service account has none; give it a token");
  if (email !== undefined) throw refuse("email", "email: a service account has none");
  if (disabled === false && (user.memberships ?? []).length === 0) {
    throw refuse("disabled", "disabled: this service account was deleted; create another one");
  }
}

/** A disabled owner does not count as one, before the rights go and whatever is done to the list meanwhile. */
async function followedByOwnerships(
  parts: Parts,
  before: User,
  after: User,
  write: () => Promise<void>,
): Promise<void> {
  const isDisabling = after.disabled && !before.disabled;
  if (isDisabling) await dropFromOwners(parts, before);
  await write();
  const now = before.disabled === after.disabled ? null : await parts.users.findOne({ _id: before._id });
  if (now !== null) await (isDisabling ? dropFromOwners(parts, now) : affirmOwnerships(parts, now));
}

/** One leaves the list of administrators before their rights go, so two who demote each other cannot both succeed. */
export async function keepingAnAdmin(
  parts: Parts,
  before: User,
  after: User,
  write: () => Promise<void>,
): Promise<void> {
  if (isActiveAdmin(before) && !isActiveAdmin(after)) {
    if (!(await parts.counters.removeAdmin(before._id))) {
      const text = "This is the last administrator; make another user one first";
      throw new RegistryError("conflict", "LAST_ADMIN", text);
    }
    try {
      await write();
    } catch (error) {
      await parts.counters.addAdmin(before._id);
      throw error;
    }
    return;
  }
  await write();
  if (isActiveAdmin(after)) await parts.counters.addAdmin(after._id);
}
