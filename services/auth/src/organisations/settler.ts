import { Periodic } from "@registry/kit";
import type { Parts } from "../parts.ts";
import { settle } from "./settle.ts";

const everyMs = 5000;

/** Makes up for what crashes left of changes that take rights away. */
export function createSettler(parts: Parts): Periodic {
  const failed = "organisations not settled; the next try follows";
  return new Periodic(() => settleDue(parts), { everyMs, log: parts.log, failed });
}

async function settleDue(parts: Parts): Promise<void> {
  const now = parts.clock.now();
  for (const organisation of await parts.organisations.due(now)) {
    if (!(await parts.organisations.claimSettling(organisation, now))) continue;
    // One that changes under it is settled by whoever changes it, and next time.
    await settle(parts, organisation).catch((err: unknown) => parts.log.warn({ err }, "an organisation not settled"));
    await parts.organisations.endSettling(organisation._id, now);
  }
}
