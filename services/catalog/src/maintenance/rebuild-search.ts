import type { MaintenanceUseCase } from "./parts.ts";

/** Every replica looks for it in the store, so none misses it. */
export const rebuildSearch: MaintenanceUseCase<"rebuildSearch"> = (parts) => async (_request, context) => {
  const number = await parts.rebuilds.ask();
  context.audit({ after: { number } });
  parts.kickRebuild();
  return { number };
};
