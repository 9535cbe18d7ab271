import {
  type ExportedPlugin,
  type ExportedRelease,
  MaintenanceServiceDefinition,
} from "@registry/contracts/maintenance";
import { isPluginName } from "@registry/domain";
import { partsOf } from "@registry/kit";
import type { Plugin } from "../store/plugins.ts";
import type { Publish } from "../store/publishes.ts";
import type { RebuildParts } from "./parts.ts";
import type { RebuildProgress } from "./progress.ts";
import { noteUses } from "./rebuild-leaves.ts";

const namesAtOnce = 50;
const publishesAtOnce = 500;
const maxTries = 10;
const timeoutMs = 30_000;

/** Sets right what analytics knows of plugins and releases; the truth is the catalog's. */
export async function rebuildReleases(parts: RebuildParts, progress: RebuildProgress): Promise<void> {
  const catalog = parts.clients.of(MaintenanceServiceDefinition);
  progress.step("releases");
  for (let after = ""; ; ) {
    const { plugins, nextAfter } = await catalog.exportPlugins({ after }, { as: "service", timeoutMs });
    for (const plugin of plugins) await checkReleases(parts, plugin.name, plugin, progress);
    await progress.checked(plugins.length);
    after = nextAfter;
    if (after === "") break;
  }
  progress.step("strays");
  await eachStray(parts, progress, async (names) => {
    const known = await exportOf(parts, names);
    for (const name of names) if (!known.has(name)) await checkReleases(parts, name, undefined, progress);
  });
}

/** Names that analytics knows something of, some at once, each at least once. */
async function eachStray(
  { releaseRepair }: RebuildParts,
  progress: RebuildProgress,
  look: (names: readonly string[]) => Promise<void>,
): Promise<void> {
  for (let after = ""; ; ) {
    const names = await releaseRepair.pluginNames(after, namesAtOnce);
    await look(names);
    await progress.checked(names.length);
    after = names.at(-1) ?? "";
    if (names.length < namesAtOnce) break;
  }
  for (let after = ""; ; ) {
    const page = await releaseRepair.publishPage(after, publishesAtOnce);
    const names = [...new Set(page.map(({ plugin }) => plugin))];
    for (const some of partsOf(names, namesAtOnce)) await look(some);
    await progress.checked(page.length);
    after = page.at(-1)?._id ?? "";
    if (page.length < publishesAtOnce) break;
  }
}

async function exportOf({ clients }: RebuildParts, names: readonly string[]): Promise<Map<string, ExportedPlugin>> {
  // Without a name everything is meant.
  const asked = names.filter(isPluginName);
  if (asked.length === 0) return new Map();
  const catalog = clients.of(MaintenanceServiceDefinition);
  const { plugins } = await catalog.exportPlugins({ names: asked }, { as: "service", timeoutMs });
  return new Map(plugins.map((plugin) => [plugin.name, plugin]));
}

/** Each way in which what is known differs from what is told, as a change that is made only if nothing came in between. */
type Change = { readonly in: "plugins" | "publishes"; readonly make: () => Promise<boolean> };

/**
 * What is known is read before the catalog is asked: its answer then includes every event that what is known came from,
 * so whatever is unchanged when it is written may be overwritten.
 */
export async function checkReleases(
  parts: RebuildParts,
  name: string,
  told: ExportedPlugin | undefined,
  progress: Pick<RebuildProgress, "mended">,
): Promise<void> {
  let newest = told;
  let mended = 0;
  for (let tries = 0; ; tries++) {
    const [[plugin], publishes] = await Promise.all([
      parts.releaseRepair.plugins([name]),
      parts.releaseRepair.publishes(name),
    ]);
    const known = { plugin, publishes };
    if (mended === 0 && tries === 0 && changesOf(parts, name, known, newest).length === 0) break;
    newest = (await exportOf(parts, [name])).get(name);
    const changes = changesOf(parts, name, known, newest);
    if (changes.length === 0) break;
    if (tries === maxTries) throw new Error("a plugin changed more often than it could be followed");
    for (const change of changes) {
      if (!(await change.make())) continue;
      progress.mended(change.in);
      mended++;
    }
  }
  const published = (newest?.releases ?? []).filter(({ publishedById }) => publishedById > 0);
  await noteUses(parts, lastPublishes(published), progress);
}

function changesOf(
  { releaseRepair }: RebuildParts,
  name: string,
  known: { readonly plugin: Plugin | undefined; readonly publishes: readonly Publish[] },
  told: ExportedPlugin | undefined,
): Change[] {
  const changes: Change[] = [];
  const wanted = told && { _id: name, visibility: told.visibility, revision: told.revision };
  if (known.plugin?.visibility !== wanted?.visibility) {
    changes.push({ in: "plugins", make: () => releaseRepair.swapPlugin(known.plugin, wanted) });
  }
  const seen = new Map(known.publishes.map((publish) => [publish._id, publish]));
  const due = new Map(
    (told?.releases ?? []).map((release) => [`${name}@${release.version}`, publishOf(name, release)]),
  );
  for (const id of new Set([...seen.keys(), ...due.keys()])) {
    const [before, after] = [seen.get(id), due.get(id)];
    if (isSame(before, after)) continue;
    changes.push({ in: "publishes", make: () => releaseRepair.swapPublish(before, after) });
  }
  return changes;
}

function publishOf(plugin: string, release: ExportedRelease): Publish {
  const { version, shown, deleted, publishedAt, publishedBy, revision } = release;
  const base = { _id: `${plugin}@${version}`, plugin, version };
  if (deleted) return { ...base, deleted: true };
  return shown && publishedAt !== undefined ? { ...base, publishedAt, publishedBy, revision } : { ...base, revision };
}

/** Revisions apart: events raise them only where they change something that analytics shows. */
function isSame(a: Publish | undefined, b: Publish | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.plugin !== b.plugin || a.version !== b.version) return false;
  if (a.publishedAt?.getTime() !== b.publishedAt?.getTime() || (a.deleted === true) !== (b.deleted === true))
    return false;
  return b.publishedAt === undefined || a.publishedBy === b.publishedBy;
}

function lastPublishes(releases: readonly ExportedRelease[]): { userId: number; at: Date }[] {
  const last = new Map<number, Date>();
  for (const { publishedById, publishedAt } of releases) {
    if (publishedAt === undefined) continue;
    const known = last.get(publishedById);
    if (known === undefined || known < publishedAt) last.set(publishedById, publishedAt);
  }
  return [...last].map(([userId, at]) => ({ userId, at }));
}
