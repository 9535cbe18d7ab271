import { unauthenticated } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { callerNotFound, type User } from "../model/user.ts";
import type { Parts } from "../parts.ts";

/** The user who calls, as stored now. @throws kind `unauthenticated` */
export async function callerUser(parts: Parts, context: CallContext): Promise<User> {
  if (context.caller.type !== "user") throw unauthenticated();
  const user = await parts.users.findOne({ _id: context.caller.id });
  if (user === null) throw callerNotFound();
  return user;
}
