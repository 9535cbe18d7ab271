import { Periodic } from "@registry/kit";
import type { FederationParts } from "./federation/parts.ts";

const everyMs = 10 * 60_000;

/** Forgets what has ended by itself. */
export function createSweeper(parts: FederationParts): Periodic {
  const sweep = async (): Promise<void> => {
    const now = parts.clock.now();
    await parts.revoked.sweep(now);
    await parts.throttle.sweep(now);
    await parts.usedOnce.sweep(now);
    await parts.quotas.sweep(now);
    await parts.apiTokens.deleteMany({ kind: "publish", expiresAt: { $lt: now } });
    // A key that is due is replaced although nobody logs in.
    await parts.signingKeys?.current();
    await parts.signingKeys?.sweep(now);
  };
  return new Periodic(sweep, { everyMs, log: parts.log, failed: "sweep failed; the next one follows" });
}
