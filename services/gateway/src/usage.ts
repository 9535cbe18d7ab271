import type { AnalyticsServiceDefinition } from "@registry/contracts/analytics";
import type { ServiceClient } from "@registry/kit";

/** A counted download: a complete body, or an address that was given out. */
export interface DownloadUse {
  readonly type: "download";
  /** Unique for ever. */
  readonly id: string;
  readonly plugin: string;
  readonly version: string;
  /** ISO 8601. */
  readonly time: string;
  /** 0 for anonymous. */
  readonly user_id: number;
  /** Kind of client, e.g. `rest`, `agenticraft`. */
  readonly client: string;
  /** Of the caller's address, for that day; empty where it is not known. Lines of earlier releases lack it. */
  readonly address_hash?: string;
}

export interface SearchUse {
  readonly type: "search";
  readonly id: string;
  /** At most 256 characters. */
  readonly query: string;
  readonly results_count: number;
  readonly time: string;
  readonly user_id: number;
  readonly address_hash?: string;
}

export type Use = DownloadUse | SearchUse;

/** One line, without its end. */
export function encodeUse(use: Use): string {
  return JSON.stringify(use);
}

/** As many results as a call can tell of. */
const mostResults = 2 ** 31 - 1;
const isTextOrAbsent = (value: unknown): boolean => value === undefined || typeof value === "string";
const isCount = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= mostResults;

/** What cannot be sent is none: it would hold up for ever whatever is behind it. */
function isUse(value: unknown): value is Use {
  if (typeof value !== "object" || value === null) return false;
  const use = value as Record<string, unknown>;
  if (typeof use.id !== "string" || typeof use.time !== "string" || Number.isNaN(Date.parse(use.time))) return false;
  if (!Number.isSafeInteger(use.user_id) || ![use.address_hash, use.client].every(isTextOrAbsent)) return false;
  if (use.type === "download") return typeof use.plugin === "string" && typeof use.version === "string";
  return use.type === "search" && typeof use.query === "string" && isCount(use.results_count);
}

/** Reads a spool file; a process that was killed may have left its last line torn. */
export function readUses(text: string): { uses: Use[]; unreadable: number } {
  const uses: Use[] = [];
  let unreadable = 0;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    try {
      const value: unknown = JSON.parse(line);
      if (isUse(value)) uses.push(value);
      else unreadable += 1;
    } catch {
      unreadable += 1;
    }
  }
  return { uses, unreadable };
}

/** Hands uses to analytics. */
export function sendUses(
  analytics: ServiceClient<typeof AnalyticsServiceDefinition>,
): (uses: readonly Use[]) => Promise<void> {
  return async (uses) => {
    const downloads = uses.flatMap((use) =>
      use.type === "download" ? [{ ...idOf(use), plugin: use.plugin, version: use.version, client: use.client }] : [],
    );
    const searches = uses.flatMap((use) =>
      use.type === "search" ? [{ ...idOf(use), query: use.query, resultsCount: use.results_count }] : [],
    );
    await analytics.recordUsage({ downloads, searches }, { as: "service", timeoutMs: 10_000 });
  };
}

function idOf({ id, time, user_id: userId, address_hash: addressHash = "" }: Use) {
  return { id, time: new Date(time), userId, addressHash };
}
