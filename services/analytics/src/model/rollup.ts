import { dayOf, hourOf } from "./time.ts";

/**
 * Counts form a graph. Its leaves are set by counting single events, everything above by adding up what is below, and
 * each only ever grows: so folding twice, in any order, by any number of replicas ends at the same numbers.
 *
 *     hour of a version → day of a version → day of a plugin
 *                                          → version → plugin
 *     hour of searches → day of searches → all searches
 *     day of a query
 */
export type Level =
  | "hour"
  | "day"
  | "plugin-day"
  | "version"
  | "plugin"
  | "search-hour"
  | "search-day"
  | "searches"
  | "query-day";

/** Where something is counted. */
export interface Place {
  readonly _id: string;
  readonly level: Level;
  readonly plugin?: string;
  readonly version?: string;
  readonly query?: string;
  /** Of the hour or day. */
  readonly start?: Date;
  /** Ids of the places whose sum this is part of. */
  readonly up: readonly string[];
}

export interface Rollup extends Place {
  readonly count: number;
  /** Of plugins: how often it was set, so that what is announced can be told from what came after. */
  readonly changes?: number;
  /** Of plugins: its total is not on the bus yet. */
  readonly unannounced?: boolean;
}

/** What one event counts in: leaves, then tier by tier what is above them. */
export interface Places {
  readonly leaf: Place;
  readonly topic?: Place;
  readonly above: readonly (readonly Place[])[];
}

const dayText = (time: Date): string => time.toISOString().slice(0, 10);
const hourText = (time: Date): string => time.toISOString().slice(0, 13);

export const pluginTotalId = (plugin: string): string => `plugin|${plugin}`;
export const searchesId = "searches";

export function downloadPlaces(plugin: string, version: string, time: Date): Places {
  const release = `${plugin}|${version}`;
  const total: Place = { _id: pluginTotalId(plugin), level: "plugin", plugin, up: [] };
  const ofVersion: Place = { _id: `version|${release}`, level: "version", plugin, version, up: [total._id] };
  const start = dayOf(time);
  const pluginDay: Place = { _id: `plugin-day|${plugin}|${dayText(time)}`, level: "plugin-day", plugin, start, up: [] };
  const up = [pluginDay._id, ofVersion._id];
  const day: Place = { _id: `day|${release}|${dayText(time)}`, level: "day", plugin, version, start, up };
  const leaf: Place = {
    _id: `hour|${release}|${hourText(time)}`,
    level: "hour",
    plugin,
    version,
    start: hourOf(time),
    up: [day._id],
  };
  return { leaf, above: [[day], [pluginDay, ofVersion], [total]] };
}

/** @param query normalised */
export function searchPlaces(query: string, time: Date): Places {
  const all: Place = { _id: searchesId, level: "searches", up: [] };
  const start = dayOf(time);
  const day: Place = { _id: `search-day|${dayText(time)}`, level: "search-day", start, up: [all._id] };
  const leaf: Place = {
    _id: `search-hour|${hourText(time)}`,
    level: "search-hour",
    start: hourOf(time),
    up: [day._id],
  };
  const topic: Place = { _id: `query-day|${dayText(time)}|${query}`, level: "query-day", query, start, up: [] };
  return { leaf, topic, above: [[day], [all]] };
}
