import type { Download, Search } from "@registry/contracts/analytics";
import { downloadPlaces, type Places, searchPlaces } from "./rollup.ts";

/** One download or search, kept for some days. */
export interface Usage {
  /** `d:` or `s:` and the id that the gateway gave it. */
  readonly _id: string;
  readonly time: Date;
  /** Ids of the places where it is counted. */
  readonly leaf: string;
  readonly topic?: string;
  readonly plugin?: string;
  readonly version?: string;
  readonly query?: string;
  /** Absent for anonymous callers. */
  readonly userId?: number;
  readonly client?: string;
  readonly resultsCount?: number;
  /** When it came; removed in the write that follows its being counted. */
  readonly pendingSince?: Date;
}

/** Between which times an event is taken, and when that is. */
export interface Window {
  readonly now: Date;
  readonly oldest: Date;
}

const idPattern = /^[\x21-\x7e]{1,200}$/;
const pluginPattern = /^[\w@/.~-]{1,214}$/;
const versionPattern = /^[\w.+-]{1,256}$/;
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

const byUser = (userId: number): { readonly userId?: number } => (userId > 0 ? { userId } : {});

/** @returns undefined for what cannot be counted: malformed, or too old to be told from a repetition */
export function usageOfDownload(download: Download, window: Window): Usage | undefined {
  const { id, plugin, version, userId } = download;
  const time = timeOf(download.time, window);
  if (time === undefined || !idPattern.test(id) || !pluginPattern.test(plugin) || !versionPattern.test(version)) {
    return undefined;
  }
  const { leaf } = downloadPlaces(plugin, version, time);
  const client = download.client.slice(0, 64);
  return { _id: `d:${id}`, time, leaf: leaf._id, plugin, version, ...byUser(userId), client, pendingSince: window.now };
}

export function usageOfSearch(search: Search, window: Window): Usage | undefined {
  const { id, resultsCount, userId } = search;
  const time = timeOf(search.time, window);
  if (time === undefined || !idPattern.test(id)) return undefined;
  const query = normaliseQuery(search.query);
  const { leaf, topic } = searchPlaces(query, time);
  const counted = { leaf: leaf._id, ...(topic === undefined ? {} : { topic: topic._id }) };
  return { _id: `s:${id}`, time, ...counted, query, resultsCount, ...byUser(userId), pendingSince: window.now };
}

export function placesOf(usage: Usage): Places {
  const { plugin, version, query, time } = usage;
  if (plugin !== undefined && version !== undefined) return downloadPlaces(plugin, version, time);
  return searchPlaces(query ?? "", time);
}
