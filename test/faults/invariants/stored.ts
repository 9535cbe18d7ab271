import { latestOf, parseVersion } from "@registry/domain";
import { type CheckContext, get, inTurns, notJudged, settled, type Verdict, verdict } from "./context.ts";
import type { StoredPlugin, StoredRelease, Truth } from "./truth.ts";

/** States in which a release refers to its bytes; of a staged one they may still be under way. */
const referring: readonly string[] = ["staged", "published", "yanked", "quarantined"];
const listedStates: readonly string[] = ["published", "yanked"];

/** I6: after grace and a collection the blobs are those that releases refer to, and nothing is staged. */
export async function blobsAreReferenced({ truth, settleMs, graceMs }: CheckContext): Promise<Verdict> {
  const what = "after grace and a collection of garbage, the blobs are exactly those that releases refer to";
  if (truth === undefined || (await truth.objects("blobs/")) === undefined) {
    return notJudged("I6", what, "no documents or no blob store given");
  }
  let checked = 0;
  const problems = await settled(settleMs, async () => {
    const releases = (await truth.releases()).filter(({ state }) => referring.includes(state));
    const referenced = new Set(releases.map(({ sha256 }) => sha256));
    const needed = new Set(releases.filter(({ state }) => state !== "staged").map(({ sha256 }) => sha256));
    const objects = (await truth.objects("blobs/")) ?? [];
    const stored = new Set(objects.map(({ key }) => key.split("/").at(-1) ?? ""));
    checked = Math.max(referenced.size, stored.size);
    const before = Date.now() - graceMs;
    const staged = ((await truth.objects("staging/")) ?? []).filter(({ modifiedAt }) => modifiedAt.getTime() < before);
    return [
      ...[...needed.difference(stored)].map((digest) => `missing ${digest}`),
      ...[...stored.difference(referenced)].map((digest) => `left over ${digest}`),
      ...staged.map(({ key }) => `left over ${key}`),
    ];
  });
  return verdict("I6", what, checked, problems);
}

/** I8: what follows from releases and counts is what a computation from them comes to. */
export async function projectionsFollow(context: CheckContext): Promise<Verdict> {
  const what = "latest, lists, search and counts equal a computation from releases";
  const { truth } = context;
  if (truth === undefined) return notJudged("I8", what, "no stores given");
  let checked = 0;
  const problems = await settled(context.settleMs, async () => {
    const { plugins, releasesOf } = await readAll(truth);
    checked = plugins.length;
    const wrong = plugins.flatMap((plugin) => wrongProjection(plugin, releasesOf(plugin._id)));
    const shown = plugins.filter(({ listed, visibility }) => listed > 0 && (context.token ?? visibility) !== "private");
    const visible = context.token === undefined ? shown.filter(isPublic) : shown;
    wrong.push(...(await wrongLists(context, visible, releasesOf)));
    return wrong;
  });
  return verdict("I8", what, checked, problems);
}

const isPublic = ({ visibility }: StoredPlugin): boolean => visibility === "public";

async function readAll(truth: Truth): Promise<{
  plugins: StoredPlugin[];
  releasesOf: (plugin: string) => StoredRelease[];
}> {
  const [plugins, releases] = await Promise.all([truth.plugins(), truth.releases()]);
  const byPlugin = Map.groupBy(releases, ({ plugin }) => plugin);
  return { plugins, releasesOf: (plugin) => byPlugin.get(plugin) ?? [] };
}

function wrongProjection(plugin: StoredPlugin, releases: readonly StoredRelease[]): string[] {
  const published = releases.filter(({ state }) => state === "published").map(({ version }) => parseVersion(version));
  const latest = plugin.pins.latest?.version ?? latestOf(published) ?? "";
  const listed = releases.filter(({ state }) => listedStates.includes(state)).length;
  const downloads = releases.reduce((sum, release) => sum + release.downloads, 0);
  const said = { latest: plugin.latest, listed: plugin.listed, downloads: plugin.downloads };
  const computed = { latest, listed, downloads };
  return JSON.stringify(said) === JSON.stringify(computed)
    ? []
    : [`${plugin._id}: says ${JSON.stringify(said)}, its releases ${JSON.stringify(computed)}`];
}

/** Where every release is yanked, lists show the highest of them. */
function shownLatest(latest: string, releases: readonly StoredRelease[]): string {
  if (latest !== "") return latest;
  const listed = releases
    .filter(({ state }) => listedStates.includes(state))
    .map(({ version }) => parseVersion(version));
  return latestOf(listed) ?? "";
}

async function wrongLists(
  context: CheckContext,
  plugins: readonly StoredPlugin[],
  releasesOf: (plugin: string) => StoredRelease[],
): Promise<string[]> {
  const all = (await get(context, "/api/v1/plugins/all")).json<{ plugins: { name: string }[] }>().plugins;
  const listed = new Set(all.map(({ name }) => name));
  const stored = new Set(plugins.map(({ _id }) => _id));
  const wrong = [
    ...[...stored].filter((name) => !listed.has(name)).map((name) => `${name}: stored, not listed`),
    ...[...listed].filter((name) => !stored.has(name)).map((name) => `${name}: listed, not stored`),
  ];
  await inTurns(plugins, async ({ _id, downloads, ...plugin }) => {
    const latest = shownLatest(plugin.latest, releasesOf(_id));
    const query = new URLSearchParams({ query: _id, limit: "100" });
    const found = (await get(context, `/api/v1/plugins?${query}`)).json<{ name: string; latest_version: string }[]>();
    const hit = found.find(({ name }) => name === _id);
    if (hit?.latest_version !== latest)
      wrong.push(`${_id}: found with ${hit?.latest_version ?? "nothing"}, not ${latest}`);
    const usage = await get(context, `/api/v1/analytics/plugins/${_id}`);
    const counted = usage.status === 200 ? usage.json<{ downloads: number }>().downloads : undefined;
    if (counted !== downloads) wrong.push(`${_id}: analytics counted ${counted}, the catalog says ${downloads}`);
  });
  return wrong;
}
