import type { ClientKind } from "@registry/domain";
import { dayOf, dayText, hourOf, sliceOf } from "./time.ts";

/**
 * Counts form a graph. Its leaves are set by counting single events, everything above by adding up what is below, and
 * each only ever grows: so folding twice, in any order, by any number of replicas ends at the same numbers. Leaves are
 * five minutes long and no sum has many parts, so that folding costs the same however much was counted before.
 *
 *     slice of a version and client → hour of both → day of a version → day of a plugin
 *                                                  │                  → month of a version → version → plugin
 *                                                  → day of a plugin and client
 *     slice of searches → day of searches → all searches
 *     slice of a query and its outcome → day of both
 *
 * What was stored by earlier releases lacks clients: its leaves are hours, its days belong to their version at once. Both
 * kinds add up, since a sum takes in whatever says that it is part of it.
 */
export type Level =
  | "slice"
  | "hour"
  | "client-day"
  | "day"
  | "plugin-day"
  | "month"
  | "version"
  | "plugin"
  | "search-slice"
  | "search-hour"
  | "search-day"
  | "searches"
  | "query-slice"
  | "found-day"
  | "empty-day";

/** Removed once no event can come any more that is part of them. */
export const slices: readonly Level[] = ["slice", "search-slice", "query-slice"];
/** Removed after a year. `query-day` is a level of earlier releases. */
export const fineLevels: readonly string[] = ["hour", "search-hour", "query-day", "found-day", "empty-day"];

/** Of which the most frequent are asked for. */
export const rankedLevels: readonly Level[] = ["version", "found-day", "empty-day"];

/** Where something is counted. */
export interface Place {
  readonly _id: string;
  readonly level: Level;
  readonly plugin?: string;
  readonly version?: string;
  readonly client?: ClientKind;
  readonly query?: string;
  /** Of the slice, hour, day or month. */
  readonly start?: Date;
  /** Ids of the places whose sum this is part of. */
  readonly up: readonly string[];
}

export interface Rollup extends Place {
  readonly count: number;
  /** The same once more at ranked levels, where an index goes by it: one that follows all counts would cost as much as they. */
  readonly rank?: number;
  /** Of plugins: how often it was set, so that what is announced can be told from what came after. */
  readonly changes?: number;
  /** Of plugins: its total is not on the bus yet. */
  readonly unannounced?: boolean;
}

/** What one event counts in: leaves, then tier by tier what is above them. */
export interface Places {
  readonly leaves: readonly [Place, ...Place[]];
  readonly above: readonly (readonly Place[])[];
}

const monthText = (time: Date): string => time.toISOString().slice(0, 7);
const hourText = (time: Date): string => time.toISOString().slice(0, 13);

/** Texts are dear where a thousand events come at once, of which nearly all are in one slice. */
const lastSlice = { start: Number.NaN, text: "" };
function sliceText(start: Date): string {
  if (lastSlice.start !== start.getTime()) {
    lastSlice.start = start.getTime();
    lastSlice.text = start.toISOString().slice(0, 16);
  }
  return lastSlice.text;
}

export const pluginTotalId = (plugin: string): string => `plugin|${plugin}`;
export const pluginDayId = (plugin: string, day: Date): string => `plugin-day|${plugin}|${dayText(day)}`;
export const versionDayId = (plugin: string, version: string, day: Date): string =>
  `day|${plugin}|${version}|${dayText(day)}`;
export const clientDayId = (plugin: string, client: ClientKind, day: Date): string =>
  `client-day|${plugin}|${dayText(day)}|${client}`;
export const searchesId = "searches";
/** The leaf that a download is counted in. */
export const downloadLeafId = (plugin: string, version: string, time: Date, client: ClientKind): string =>
  `slice|${plugin}|${version}|${sliceText(sliceOf(time))}|${client}`;
/** The leaves that a search is counted in. */
export const searchLeafIds = (query: string, time: Date, found: boolean): [all: string, ofQuery: string] => {
  const text = sliceText(sliceOf(time));
  return [`search-slice|${text}`, `query-slice|${text}|${found ? "found" : "empty"}|${query}`];
};

/** @param client absent for events that an earlier release stored */
export function downloadPlaces(plugin: string, version: string, time: Date, client?: ClientKind): Places {
  const release = `${plugin}|${version}`;
  const start = dayOf(time);
  const total: Place = { _id: pluginTotalId(plugin), level: "plugin", plugin, up: [] };
  const ofVersion: Place = { _id: `version|${release}`, level: "version", plugin, version, up: [total._id] };
  const month: Place = {
    _id: `month|${release}|${monthText(time)}`,
    level: "month",
    plugin,
    version,
    start: new Date(`${monthText(time)}-01T00:00:00Z`),
    up: [ofVersion._id],
  };
  const pluginDay: Place = { _id: pluginDayId(plugin, start), level: "plugin-day", plugin, start, up: [] };
  const up = [pluginDay._id, month._id];
  const day: Place = { _id: versionDayId(plugin, version, start), level: "day", plugin, version, start, up };
  const above = [[day], [pluginDay, month], [ofVersion]];
  const hour = { level: "hour", plugin, version, start: hourOf(time) } as const;
  const hourId = `hour|${release}|${hourText(time)}`;
  if (client === undefined) return { leaves: [{ ...hour, _id: hourId, up: [day._id] }], above: [...above, [total]] };

  const clientDay: Place = {
    _id: clientDayId(plugin, client, start),
    level: "client-day",
    plugin,
    client,
    start,
    up: [],
  };
  const ofClient: Place = { ...hour, _id: `${hourId}|${client}`, client, up: [day._id, clientDay._id] };
  const slice = { level: "slice", plugin, version, client, start: sliceOf(time), up: [ofClient._id] } as const;
  const leaf: Place = { ...slice, _id: downloadLeafId(plugin, version, time, client) };
  // Last, so that a day's clients never add up to more than the day.
  return { leaves: [leaf], above: [[ofClient], ...above, [total, clientDay]] };
}

/**
 * @param query normalised
 * @param found whether there was a result; absent for events that an earlier release stored
 */
export function searchPlaces(query: string, time: Date, found?: boolean): Places {
  const all: Place = { _id: searchesId, level: "searches", up: [] };
  const start = dayOf(time);
  const day: Place = { _id: `search-day|${dayText(time)}`, level: "search-day", start, up: [all._id] };
  if (found === undefined) {
    const hour = { _id: `search-hour|${hourText(time)}`, level: "search-hour", start: hourOf(time) } as const;
    return { leaves: [{ ...hour, up: [day._id] }], above: [[day], [all]] };
  }
  const at = sliceOf(time);
  const [allId, queryId] = searchLeafIds(query, time, found);
  const slice: Place = { _id: allId, level: "search-slice", start: at, up: [day._id] };
  const level = found ? "found-day" : "empty-day";
  const ofQuery: Place = { _id: `${level}|${dayText(time)}|${query}`, level, query, start, up: [] };
  const querySlice: Place = { _id: queryId, level: "query-slice", query, start: at, up: [ofQuery._id] };
  return { leaves: [slice, querySlice], above: [[day, ofQuery], [all]] };
}
