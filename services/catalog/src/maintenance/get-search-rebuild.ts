import type { MaintenanceUseCase } from "./parts.ts";

/** A replica says every ten seconds that it lives. */
const aliveMs = 60_000;

export const getSearchRebuild: MaintenanceUseCase<"getSearchRebuild"> = (parts) => async () => {
  const since = new Date(parts.clock.now().getTime() - aliveMs);
  const [number, replicas] = await Promise.all([parts.rebuilds.latest(), parts.rebuilds.seenSince(since)]);
  return { number, replicas: replicas.map(({ _id: instance, ...state }) => ({ instance, ...state })) };
};
