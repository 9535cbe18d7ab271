import type { Parts } from "../parts.ts";
import { settle } from "./settle.ts";

const everyMs = 5000;

/** Makes up for what crashes left of changes that take rights away, at start and ever after. @returns how to stop */
export function startSettler(parts: Parts): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let idle = true;
  const run = (): void => {
    if (!idle) return;
    idle = false;
    running = settleDue(parts)
      .catch((error: unknown) => parts.log.warn({ err: error }, "organisations not settled; the next try follows"))
      .finally(() => {
        idle = true;
      });
  };
  run();
  const timer = setInterval(run, everyMs).unref();
  return () => {
    clearInterval(timer);
    return running;
  };
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
