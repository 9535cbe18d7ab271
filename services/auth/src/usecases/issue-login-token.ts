import type { User } from "../model/user.ts";
import type { Parts } from "../parts.ts";

const dayMs = 86_400_000;

/** A signed token for a user who has just proved who they are. */
export async function issueLoginToken(parts: Parts, user: User): Promise<{ token: string; expiresAt: Date }> {
  const now = Math.floor(parts.clock.now().getTime() / 1000) * 1000;
  // Right after a change of password the current second is barred to the tokens from before it.
  const issued = new Date(Math.max(now, user.tokensValidFrom?.getTime() ?? 0));
  const expiresAt = new Date(issued.getTime() + parts.config.TOKEN_LIFETIME_DAYS * dayMs);
  const { _id: id, username } = user;
  const token = await parts.callerTokens.sign({ id, username }, parts.ids.unique(), issued, expiresAt);
  return { token, expiresAt };
}
