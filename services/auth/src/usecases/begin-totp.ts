import { RegistryError } from "@registry/domain";
import { sealOwner, sealPurpose, shownForms, totpSecretBytes } from "../model/totp.ts";
import { wrongPassword } from "../model/user.ts";
import type { UseCase } from "../parts.ts";
import { callerUser } from "./caller-user.ts";
import { checkPassword } from "./check-password.ts";

/** A new secret takes the place of one that was begun before. */
export const beginTotp: UseCase<"beginTotp"> = (parts) => async (request, context) => {
  const user = await callerUser(parts, context);
  context.audit({ target: user.username });
  const proof = await checkPassword(parts, context, { name: user.username, user, password: request.password });
  if (proof !== "holds") throw wrongPassword();
  const secret = Buffer.from(parts.ids.secret(totpSecretBytes), "base64url");
  const sealed = parts.keys.seal(sealPurpose, secret, sealOwner(user._id));
  const { matchedCount } = await parts.users.updateOne(
    { _id: user._id, totp: { $exists: false } },
    { $set: { totpPending: { sealed, at: parts.clock.now() } } },
  );
  if (matchedCount === 0) {
    throw new RegistryError("conflict", "TOTP_ENABLED", "There is a second factor already; give it up first");
  }
  return shownForms(secret, parts.config.REGISTRY_NAME, user.username);
};
