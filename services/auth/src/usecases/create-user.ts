import type { CreateUserRequest } from "@registry/contracts/auth";
import { invalid } from "@registry/domain";
import { checkNewPassword, parseEmail, parseRights, parseRole, parseUsername, refuseReserved } from "../model/user.ts";
import { userNote } from "../notes.ts";
import type { Parts, UseCase } from "../parts.ts";
import { hashPassword, parsePasswordHash } from "../passwords.ts";
import { toUserMessage } from "../wire.ts";
import { createUserDocument } from "./create-user-document.ts";

export const createUser: UseCase<"createUser"> = (parts) => async (request, context) => {
  const username = parseUsername(request.username);
  refuseReserved(username);
  const email = request.email === "" ? {} : parseEmail(request.email);
  const role = parseRole(request.role === "" ? "user" : request.role);
  const grants = parseRights(request.grants, "grants");
  const secret = await passwordOf(parts, request);
  const user = await createUserDocument(parts, { username, ...email, ...secret, role, grants });
  context.audit({ target: user.username, after: userNote(user) });
  if (role === "admin") await parts.counters.addAdmin(user._id);
  return { user: toUserMessage(user) };
};

async function passwordOf(parts: Parts, request: CreateUserRequest): Promise<{ readonly passwordHash?: string }> {
  const { password, passwordHash } = request;
  if (password !== "" && passwordHash !== "") {
    throw invalid("INVALID_PASSWORD", "give password or password_hash, not both", "/password_hash");
  }
  if (passwordHash !== "") return { passwordHash: parsePasswordHash(passwordHash) };
  if (password === "") return {};
  checkNewPassword(password);
  return { passwordHash: await parts.hashing.run(() => hashPassword(password)) };
}
