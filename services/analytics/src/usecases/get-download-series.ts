import { setImmediate } from "node:timers/promises";
import { CatalogServiceDefinition } from "@registry/contracts/catalog";
import { clientKinds, versionNotFound } from "@registry/domain";
import { partsOf } from "@registry/kit";
import { clientDayId, pluginDayId, versionDayId } from "../model/rollup.ts";
import { before, dayMs, dayOf } from "../model/time.ts";
import type { Insight, Parts } from "../parts.ts";
import { within } from "./within.ts";

/** Days whose counts are read together: others of this process get their turn in between. */
const daysAtOnce = 31;

interface SeriesDay {
  readonly day: Date;
  readonly downloads: number;
  readonly clients: Readonly<Record<string, number>>;
}

/** The catalog decides whether the caller may know of the plugin, and of which of its versions. */
export const getDownloadSeries: Insight<"getDownloadSeries"> = (parts) => async (request, context) => {
  const days = within(request.days, 30, 365, "days");
  const catalog = parts.clients.of(CatalogServiceDefinition);
  const { details } = await catalog.getPlugin({ name: request.plugin }, { context });
  const plugin = details?.plugin?.name ?? request.plugin;
  const { version } = request;
  if (version !== "" && details?.versions.includes(version) !== true) throw versionNotFound();
  const today = dayOf(parts.clock.now());
  const starts = Array.from({ length: days }, (_, i) => before(today, (days - 1 - i) * dayMs));
  const series: SeriesDay[] = [];
  for (const some of partsOf(starts, daysAtOnce)) {
    series.push(
      ...(version === "" ? await ofPlugin(parts, plugin, some) : await ofVersion(parts, plugin, version, some)),
    );
    await setImmediate();
  }
  return { days: series };
};

async function ofPlugin({ rollups }: Parts, plugin: string, days: readonly Date[]): Promise<SeriesDay[]> {
  const ids = days.flatMap((day) => [
    pluginDayId(plugin, day),
    ...clientKinds.map((client) => clientDayId(plugin, client, day)),
  ]);
  const counts = await rollups.countsOf(ids);
  return days.map((day) => {
    const byClient = new Map(clientKinds.map((client) => [client, counts.get(clientDayId(plugin, client, day)) ?? 0]));
    return seriesDay(day, counts.get(pluginDayId(plugin, day)) ?? 0, byClient);
  });
}

/** Of a version clients are told apart by the hour alone. */
async function ofVersion(
  { rollups }: Parts,
  plugin: string,
  version: string,
  days: readonly Date[],
): Promise<SeriesDay[]> {
  const ids = days.map((day) => versionDayId(plugin, version, day));
  const [counts, hours] = await Promise.all([rollups.countsOf(ids), rollups.partsOf(ids)]);
  return days.map((day) => {
    const byClient = new Map<string, number>();
    for (const { client = "other", start, count } of hours) {
      if (start !== undefined && dayOf(start).getTime() === day.getTime()) {
        byClient.set(client, (byClient.get(client) ?? 0) + count);
      }
    }
    return seriesDay(day, counts.get(versionDayId(plugin, version, day)) ?? 0, byClient);
  });
}

/** Downloads whose client was not noted, as by earlier releases, are those of others. */
function seriesDay(day: Date, downloads: number, byClient: ReadonlyMap<string, number>): SeriesDay {
  const noted = [...byClient.values()].reduce((sum, count) => sum + count, 0);
  const other = (byClient.get("other") ?? 0) + Math.max(0, downloads - noted);
  const clients = Object.fromEntries([...byClient, ["other", other] as const].filter(([, count]) => count > 0));
  return { day, downloads, clients };
}
