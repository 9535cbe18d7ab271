import { RegistryError } from "@registry/domain";
import type { UseCase } from "../parts.ts";

export const rotateSigningKey: UseCase<"rotateSigningKey"> = (parts) => async (_request, context) => {
  if (parts.signingKeys === undefined) {
    const text = "Tokens are signed with SECRET_KEY here; only with JWT_ALGORITHM=EdDSA are there keys to change";
    throw new RegistryError("conflict", "NO_SIGNING_KEYS", text);
  }
  const { kid } = await parts.signingKeys.rotate();
  context.audit({ target: kid });
  return { kid };
};
