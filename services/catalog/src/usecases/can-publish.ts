import type { CanPublishRequest, CanPublishResponse } from "@registry/contracts/catalog";
import { inScopeSomewhere, maySomewhere } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import type { Parts } from "../parts.ts";

/** By what the credential says, else by a role that some plugin's owner gave. */
export function canPublish(parts: Pick<Parts, "plugins">) {
  return async (_request: CanPublishRequest, { caller }: CallContext): Promise<CanPublishResponse> => {
    if (maySomewhere(caller, "publish")) return { allowed: true };
    if (caller.type !== "user" || !inScopeSomewhere(caller, "publish")) return { allowed: false };
    return { allowed: await parts.plugins.hasPublisher(caller.id) };
  };
}
