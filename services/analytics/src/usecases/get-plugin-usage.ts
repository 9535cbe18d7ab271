import { CatalogServiceDefinition } from "@registry/contracts/catalog";
import type { UseCase } from "../parts.ts";

/** The catalog decides whether the caller may know of the plugin, and of which of its versions. */
export const getPluginUsage: UseCase<"getPluginUsage"> = (parts) => async (request, context) => {
  const catalog = parts.clients.of(CatalogServiceDefinition);
  const { details } = await catalog.getPlugin({ name: request.plugin }, { context });
  const name = details?.plugin?.name ?? request.plugin;
  const [downloads, totals] = await Promise.all([parts.rollups.ofPlugin(name), parts.rollups.versionsOf([name])]);
  const counts = new Map(totals.map(({ version, count }) => [version, count]));
  const versions = (details?.versions ?? []).map((version) => ({ version, downloads: counts.get(version) ?? 0 }));
  return { downloads, versions };
};
