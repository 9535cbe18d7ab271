import type { ExportedPlugin, ExportedRelease } from "@registry/contracts/maintenance";
import { invalid, isPluginName } from "@registry/domain";
import type { PluginDocument } from "../model/plugin.ts";
import type { ReleaseHead } from "../model/release.ts";
import type { MaintenanceParts, MaintenanceUseCase } from "./parts.ts";

const pageSize = 50;
const mostNames = 100;
/** Releases of one answer, but for the last plugin's: some hundred bytes each, well below what a message may hold. */
const mostReleases = 5000;

/**
 * What events have told, computed from the releases themselves: a release that the plugin's document does not follow yet
 * is in it, since its event may be on its way already.
 */
export const exportPlugins: MaintenanceUseCase<"exportPlugins"> =
  (parts) =>
  async ({ after, names, changedSince }) => {
    if (names.length > mostNames) throw invalid("INVALID_NAME", `names: at most ${mostNames}`, "/names");
    const byName = names.length > 0;
    const page = (): Promise<PluginDocument[]> =>
      changedSince === undefined
        ? parts.plugins.page(after, pageSize)
        : parts.plugins.changedSince(changedSince, after, pageSize);
    const found = byName ? await parts.plugins.some(names.filter(isPluginName)) : await page();
    const plugins: ExportedPlugin[] = [];
    let releases = 0;
    let last: PluginDocument | undefined;
    for (const plugin of found) {
      if (!byName && releases >= mostReleases) break;
      last = plugin;
      const exported = await exportOne(parts, plugin);
      releases += exported?.releases.length ?? 0;
      if (exported !== undefined) plugins.push(exported);
    }
    const more = !byName && (last !== found.at(-1) || found.length === pageSize);
    return { plugins, nextAfter: more ? (last?._id ?? "") : "" };
  };

async function exportOne(parts: MaintenanceParts, plugin: PluginDocument): Promise<ExportedPlugin | undefined> {
  const heads = (await parts.releases.heads(plugin._id)).filter(({ publishedAt }) => publishedAt !== undefined);
  if (heads.length === 0) return undefined;
  const listed = heads.some(isShown);
  const revision = heads.reduce((highest, head) => Math.max(highest, head.revision), plugin.revision);
  const visibility = listed ? plugin.visibility : plugin.gone === true ? "deleted" : "hidden";
  return { name: plugin._id, visibility, revision, releases: heads.map(toExported) };
}

const isShown = ({ state }: ReleaseHead): boolean => state === "published" || state === "yanked";

function toExported(head: ReleaseHead): ExportedRelease {
  const { version, state, publishedAt, publishedBy, publishedById, revision } = head;
  return {
    version,
    shown: isShown(head),
    deleted: state === "deleted",
    publishedAt,
    publishedBy,
    publishedById,
    revision,
  };
}
