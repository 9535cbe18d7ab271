import type { Download, Search } from "@registry/contracts/analytics";
import { namePattern, versionPattern } from "@registry/contracts/events";
import { type ClientKind, clientKindOf } from "@registry/domain";
import { downloadLeafId, searchLeafIds } from "./rollup.ts";

/** One download or search, kept for some days. */
export interface Usage {
  /** `d:` or `s:` and the id that the gateway gave it. */
  readonly _id: string;
  readonly time: Date;
  /** Ids of the leaves where it is counted. */
  readonly leaf: string | readonly string[];
  readonly plugin?: string;
  readonly version?: string;
  readonly query?: string;
  /** Absent for anonymous callers. */
  readonly userId?: number;
  readonly client?: ClientKind;
  readonly resultsCount?: number;
  /** Of the caller's address, under a key of that day; absent where the gateway knew none. Nothing answers with it. */
  readonly addressHash?: string;
  /** When it came. Of events alone that an earlier release stored and did not count. */
  readonly pendingSince?: Date;
}

/** Between which times an event is taken, and when that is. */
export interface Window {
  readonly now: Date;
  readonly oldest: Date;
}

const idPattern = /^[\x21-\x7e]{1,200}$/;
const hashPattern = /^[\w-]{1,64}$/;
const maxQuery = 256;

/** Queries that differ in case, width or spaces alone count as one. */
export function normaliseQuery(query: string): string {
  const printable = query
    .slice(0, maxQuery)
    .normalize("NFKC")
    .replace(/[\p{C}\s]+/gu, " ");
  return printable.trim().toLowerCase().slice(0, maxQuery).toWellFormed();
}

/** A gateway's clock may be ahead; nothing has happened in the future. */
function timeOf(time: Date | undefined, { now, oldest }: Window): Date | undefined {
  if (time === undefined || Number.isNaN(time.getTime()) || time > now) return now;
  return time < oldest ? undefined : time;
}

type Who = Pick<Usage, "userId" | "addressHash">;
const byWhom = ({ userId, addressHash }: { readonly userId: number; readonly addressHash: string }): Who => ({
  ...(userId > 0 ? { userId } : {}),
  ...(hashPattern.test(addressHash) ? { addressHash } : {}),
});

/** @returns undefined for what cannot be counted: malformed, or too old to be told from a repetition */
export function usageOfDownload(download: Download, window: Window): Usage | undefined {
  const { id, plugin, version } = download;
  const time = timeOf(download.time, window);
  if (time === undefined || !idPattern.test(id) || !namePattern.test(plugin) || !versionPattern.test(version)) {
    return undefined;
  }
  const client = clientKindOf(download.client);
  const leaf = downloadLeafId(plugin, version, time, client);
  return { _id: `d:${id}`, time, leaf, plugin, version, client, ...byWhom(download) };
}

export function usageOfSearch(search: Search, window: Window): Usage | undefined {
  const { id, resultsCount } = search;
  const time = timeOf(search.time, window);
  if (time === undefined || !idPattern.test(id)) return undefined;
  const query = normaliseQuery(search.query);
  const leaf = searchLeafIds(query, time, resultsCount > 0);
  return { _id: `s:${id}`, time, leaf, query, resultsCount, ...byWhom(search) };
}
