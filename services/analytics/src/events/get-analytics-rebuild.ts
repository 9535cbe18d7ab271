import type { EventUseCase } from "./parts.ts";
import { toRebuild } from "./wire.ts";

export const getAnalyticsRebuild: EventUseCase<"getAnalyticsRebuild"> = (parts) => async () => {
  const job = await parts.rebuilds.latest();
  return { rebuild: job === null ? undefined : toRebuild(job) };
};
