import { unauthenticated } from "@registry/domain";
import type { UseCase } from "../parts.ts";
import { countingFailures } from "./count-failures.ts";
import { findRevocation } from "./find-revocation.ts";

export const logout: UseCase<"logout"> = (parts) => async (request, context) => {
  const found = await countingFailures(parts, context.address, async () => {
    // One that is revoked already is revoked again, so that the same request twice has one answer.
    const revocation = await findRevocation(parts, request.token);
    if (revocation === undefined) throw unauthenticated();
    return revocation;
  });
  context.audit({ target: found.tokenId });
  await parts.withdraw(() => found.revoke());
  return {};
};
