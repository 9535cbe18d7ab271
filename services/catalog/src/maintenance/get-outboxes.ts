import type { MaintenanceUseCase } from "./parts.ts";

export const getOutboxes: MaintenanceUseCase<"getOutboxes"> = (parts) => async () => ({
  outboxes: await Promise.all(parts.relays.map((relay) => relay.backlog())),
});
