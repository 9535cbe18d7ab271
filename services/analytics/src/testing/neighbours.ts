import { type AuditEntry, AuditServiceDefinition } from "@registry/contracts/audit";
import {
  type ExportedPlugin,
  type ExportedRelease,
  type ExportPluginsRequest,
  MaintenanceServiceDefinition,
  type ResendEventsRequest,
} from "@registry/contracts/maintenance";
import { anyone, type ServiceTable } from "@registry/kit";

/** A catalog as far as events and rebuilds know it. */
export class StandInCatalog {
  readonly plugins = new Map<string, Omit<ExportedPlugin, "releases"> & { releases: Map<string, ExportedRelease> }>();
  readonly resent: ResendEventsRequest[] = [];
  /** Since when changes were asked for. */
  readonly askedSince: Date[] = [];
  away = false;

  table(): ServiceTable {
    const row = (handle: (request: unknown) => unknown) => ({
      allow: anyone,
      handle: async (request: unknown) => {
        if (this.away) throw new Error("planned absence");
        return handle(request);
      },
    });
    return {
      definition: MaintenanceServiceDefinition,
      rows: {
        exportPlugins: row((request) => this.#export(request as ExportPluginsRequest)),
        getOutboxes: row(() => ({ outboxes: [{ collection: "plugins", pending: 2, oldest: new Date(1000) }] })),
        resendEvents: row((request) => {
          this.resent.push(request as ResendEventsRequest);
          return { events: 7 };
        }),
      },
    };
  }

  /** Two at once, so that there are pages. */
  #export({ after, names, changedSince }: ExportPluginsRequest) {
    if (changedSince !== undefined) this.askedSince.push(changedSince);
    const sorted = [...this.plugins.keys()].sort();
    const chosen = names.length > 0 ? sorted.filter((name) => names.includes(name)) : sorted.filter((n) => n > after);
    const page = names.length > 0 ? chosen : chosen.slice(0, 2);
    const plugins = page.flatMap((name) => this.plugins.get(name) ?? []);
    return {
      plugins: plugins.map((plugin) => ({ ...plugin, releases: [...plugin.releases.values()] })),
      nextAfter: page.length < chosen.length ? (page.at(-1) ?? "") : "",
    };
  }
}

/** The neighbour that keeps the audit log. */
export function auditTable(rows: AuditEntry[]): ServiceTable {
  const recordAudit = async (request: unknown) => {
    const { entries } = request as { entries: AuditEntry[] };
    rows.push(...entries.filter(({ id }) => !rows.some((row) => row.id === id)));
    return {};
  };
  return { definition: AuditServiceDefinition, rows: { recordAudit: { allow: anyone, handle: recordAudit } } };
}
