import type { UpdateUserRequest } from "@registry/contracts/auth";
import { RegistryError } from "@registry/domain";
import { checkNewPassword, isActiveAdmin, parseEmail, parseRights, parseRole, type User } from "../model/user.ts";
import { userNote } from "../notes.ts";
import type { Parts, UseCase } from "../parts.ts";
import { explainDuplicate } from "../store/users.ts";
import { toUserMessage } from "../wire.ts";
import { userByName } from "./get-user.ts";
import { newPasswordFields } from "./set-password.ts";

export const updateUser: UseCase<"updateUser"> = (parts) => async (request, context) => {
  const user = await userByName(parts, request.username);
  context.audit({ target: user.username });
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
  const withdraws = Object.keys(rights).length > 0 || request.password !== undefined;
  await (withdraws ? parts.withdraw(write) : write());
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
    await parts.users.updateOne({ _id: user._id }, { $set: changes });
  } catch (error) {
    throw explainDuplicate(error);
  }
}

/** One leaves the list of administrators before their rights go, so two who demote each other cannot both succeed. */
async function keepingAnAdmin(parts: Parts, before: User, after: User, write: () => Promise<void>): Promise<void> {
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
