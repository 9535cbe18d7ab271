import type { Bus, Delivery, Subscription } from "@registry/bus";
import { type DownloadTotal, decodeEvent } from "@registry/contracts/events";
import { isPluginName } from "@registry/domain";
import type { Parts } from "./parts.ts";

const subject = "registry.analytics.downloads.counted";

/** Totals of downloads, for sorting and showing. Totals only rise, so neither order nor repetition matters. */
export function consumeDownloads(bus: Bus, parts: Parts): Promise<Subscription> {
  return bus.subscribe({ group: "catalog-downloads", subjects: [subject] }, async ({ event }: Delivery) => {
    for (const total of decodeEvent(subject, event.data).totals) await apply(parts, total);
  });
}

async function apply(parts: Parts, total: DownloadTotal): Promise<void> {
  if (!isPluginName(total.plugin)) return;
  let changed = false;
  for (const [version, downloads] of Object.entries(total.versions)) {
    if (await parts.releases.countDownloads(total.plugin, version, downloads)) changed = true;
  }
  if (!(await parts.plugins.countDownloads(total.plugin, total.downloads, changed))) return;
  const plugin = await parts.plugins.get(total.plugin);
  if (plugin !== null) parts.learned(plugin);
}
