import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { latestOf, parseVersion } from "@registry/domain";
import { type CheckContext, get, notJudged, settled, type Verdict, verdict } from "./context.ts";
import { inTurns } from "./published.ts";
import type { StoredPlugin, StoredRelease, Truth } from "./truth.ts";

/** States in which a release refers to its bytes. */
const referring: readonly string[] = ["staged", "published", "yanked", "quarantined"];
const listedStates: readonly string[] = ["published", "yanked"];

/** I6: after grace and a collection the blobs are those that releases refer to. */
export async function blobsAreReferenced({ truth, settleMs }: CheckContext): Promise<Verdict> {
  const what = "after grace and a collection of garbage, the blobs are exactly those that releases refer to";
  if (truth === undefined || (await truth.blobKeys("blobs/")) === undefined) {
    return notJudged("I6", what, "no documents or no blob store given");
  }
  let checked = 0;
  const problems = await settled(settleMs, async () => {
    const referenced = new Set(
      (await truth.releases()).filter(({ state }) => referring.includes(state)).map(({ sha256 }) => sha256),
    );
    const stored = ((await truth.blobKeys("blobs/")) ?? []).map((key) => key.split("/").at(-1) ?? "");
    checked = Math.max(referenced.size, stored.length);
    const missing = [...referenced].filter((digest) => !stored.includes(digest));
    const left = stored.filter((digest) => !referenced.has(digest));
    return [...missing.map((digest) => `missing ${digest}`), ...left.map((digest) => `left over ${digest}`)];
  });
  return verdict("I6", what, checked, problems);
}

/** I7: the outbox is empty and no consumer has anything before it. */
export async function nothingIsStuck({ truth, settleMs }: CheckContext, natsUrl: string | undefined): Promise<Verdict> {
  const what = "the outbox has drained, and nothing waits in a consumer";
  if (truth === undefined) return notJudged("I7", what, "no stores given");
  let consumers = 0;
  const problems = await settled(settleMs, async () => {
    const pending = (await truth.pending()).map((document) => `not relayed: ${document}`);
    const waiting = natsUrl === undefined ? [] : await consumersWaiting(natsUrl);
    consumers = waiting.length;
    const stuck = waiting.filter(({ events }) => events > 0);
    return [...pending, ...stuck.map(({ group, events }) => `${events} events wait in ${group}`)];
  });
  return verdict("I7", what, consumers, problems);
}

async function consumersWaiting(natsUrl: string): Promise<{ group: string; events: number }[]> {
  const connection = await connect({ servers: natsUrl, timeout: 5000, maxReconnectAttempts: 2 });
  try {
    const manager = await jetstreamManager(connection, { timeout: 5000 });
    const waiting: { group: string; events: number }[] = [];
    for await (const { name, num_ack_pending, num_pending } of manager.consumers.list("REGISTRY")) {
      waiting.push({ group: name, events: num_ack_pending + num_pending });
    }
    return waiting;
  } finally {
    await connection.close();
  }
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
    const wrong = plugins.flatMap((plugin) => wrongProjection(plugin, releasesOf(plugin)));
    const shown = plugins.filter(({ listed, visibility }) => listed > 0 && (context.token ?? visibility) !== "private");
    wrong.push(...(await wrongLists(context, context.token === undefined ? shown.filter(isPublic) : shown)));
    return wrong;
  });
  return verdict("I8", what, checked, problems);
}

const isPublic = ({ visibility }: StoredPlugin): boolean => visibility === "public";

async function readAll(truth: Truth): Promise<{
  plugins: StoredPlugin[];
  releasesOf: (plugin: StoredPlugin) => StoredRelease[];
}> {
  const [plugins, releases] = await Promise.all([truth.plugins(), truth.releases()]);
  const byPlugin = Map.groupBy(releases, ({ plugin }) => plugin);
  return { plugins, releasesOf: ({ _id }) => byPlugin.get(_id) ?? [] };
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

async function wrongLists(context: CheckContext, plugins: readonly StoredPlugin[]): Promise<string[]> {
  const all = (await get(context, "/api/v1/plugins/all")).json<{ plugins: { name: string }[] }>().plugins;
  const listed = new Set(all.map(({ name }) => name));
  const stored = new Set(plugins.map(({ _id }) => _id));
  const wrong = [
    ...[...stored].filter((name) => !listed.has(name)).map((name) => `${name}: stored, not listed`),
    ...[...listed].filter((name) => !stored.has(name)).map((name) => `${name}: listed, not stored`),
  ];
  await inTurns(plugins, async ({ _id, latest, downloads }) => {
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
