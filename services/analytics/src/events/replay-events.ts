import { MaintenanceServiceDefinition } from "@registry/contracts/maintenance";
import { invalid } from "@registry/domain";
import type { EventUseCase } from "./parts.ts";

const keptMs = 7 * 24 * 3600 * 1000;

/** The catalog's events are all that there are: what analytics tells is a total, which it tells again by itself. */
export const replayEvents: EventUseCase<"replayEvents"> =
  (parts) =>
  async ({ since }, context) => {
    const now = parts.clock.now().getTime();
    if (since === undefined || since.getTime() > now || now - since.getTime() > keptMs) {
      throw invalid(
        "INVALID_SINCE",
        "since: use a time within the last seven days; older events are not kept",
        "/since",
      );
    }
    const catalog = parts.clients.of(MaintenanceServiceDefinition);
    const { events } = await catalog.resendEvents({ key: parts.ids.unique(), since }, { context, as: "service" });
    context.audit({ after: { since: since.toISOString(), events } });
    return { events };
  };
