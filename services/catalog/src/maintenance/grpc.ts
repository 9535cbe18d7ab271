import { MaintenanceServiceDefinition } from "@registry/contracts/maintenance";
import { admins, anyOf, defineService, type ServiceTable, services } from "@registry/kit";
import { exportPlugins } from "./export-plugins.ts";
import { getOutboxes } from "./get-outboxes.ts";
import { getSearchRebuild } from "./get-search-rebuild.ts";
import type { MaintenanceParts } from "./parts.ts";
import { rebuildSearch } from "./rebuild-search.ts";
import { resendEvents } from "./resend-events.ts";

/** Administrators, and whoever has the registry's secret at hand. */
const operators = anyOf(admins, services("cli"));

export function maintenanceTable(parts: MaintenanceParts): ServiceTable {
  return defineService(MaintenanceServiceDefinition, {
    getOutboxes: { allow: services("analytics"), handle: getOutboxes(parts) },
    resendEvents: { allow: services("analytics"), handle: resendEvents(parts) },
    exportPlugins: { allow: services("analytics"), handle: exportPlugins(parts) },
    rebuildSearch: {
      allow: operators,
      handle: rebuildSearch(parts),
      audit: () => ({ action: "search.rebuild", target: "search" }),
    },
    getSearchRebuild: { allow: operators, handle: getSearchRebuild(parts) },
  });
}
