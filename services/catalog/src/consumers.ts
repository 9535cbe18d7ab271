import type { Bus, Delivery } from "@registry/bus";
import { decodeEvent } from "@registry/contracts/events";
import { isPluginName } from "@registry/domain";
import type { Parts } from "./parts.ts";

const subject = "registry.analytics.downloads.counted";

/**
 * Totals of downloads, for sorting and showing. Totals only rise, so neither order nor repetition matters. Those of one
 * event are written together, releases first: whoever reads the plugin's new stamp finds them.
 */
export function consumeDownloads(bus: Bus, parts: Pick<Parts, "plugins" | "releases" | "learned">) {
  return bus.subscribe({ group: "catalog-downloads", subjects: [subject] }, async ({ event }: Delivery) => {
    const totals = decodeEvent(subject, event.data).totals.filter(({ plugin }) => isPluginName(plugin));
    await parts.releases.countDownloads(totals);
    await parts.plugins.countDownloads(totals);
    for (const plugin of await parts.plugins.some(totals.map(({ plugin }) => plugin))) parts.learned(plugin);
  });
}
