import type { EventUseCase } from "./parts.ts";
import { toRebuild } from "./wire.ts";

/** Written into the store, where every replica looks for it. */
export const rebuildAnalytics: EventUseCase<"rebuildAnalytics"> = (parts) => async (_request, context) => {
  const job = await parts.rebuilds.ask(parts.clock.now());
  context.audit({ after: { number: job.number } });
  parts.kickRebuild();
  return { rebuild: toRebuild(job) };
};
