import { type CheckContext, digestOf, get, keyOf, notJudged, settled, type Verdict, verdict } from "./context.ts";
import { type Entry, isAcknowledged, isRefused, type PublishEntry } from "./journal.ts";

interface Listed {
  readonly version: string;
  readonly sha256: string;
  readonly size: number;
  readonly state: string;
  readonly package_url: string;
}

interface Info {
  readonly name: string;
  readonly releases: readonly Listed[];
}

/** Whole, and yet not counted: what the checker downloads changes no count. */
const wholeRange = { range: "bytes=0-" };
const atOnce = 4;

/** Every release that is listed, by `name@version`. */
export async function listedReleases(context: CheckContext): Promise<Map<string, Listed & { readonly name: string }>> {
  const { plugins } = (await get(context, "/api/v1/plugins/all")).json<{ plugins: { name: string }[] }>();
  const listed = new Map<string, Listed & { readonly name: string }>();
  await inTurns(plugins, async ({ name }) => {
    const answer = await get(context, `/api/v1/plugins/${name}`);
    if (answer.status !== 200) return;
    for (const release of answer.json<Info>().releases) {
      listed.set(keyOf({ name, version: release.version }), { ...release, name });
    }
  });
  return listed;
}

/** I1: what was acknowledged is listed and has its bytes. */
export async function acknowledgedAreThere(context: CheckContext): Promise<Verdict> {
  const removed = removals(context.entries);
  const acknowledged = new Map(
    publishes(context.entries)
      .filter((entry) => isAcknowledged(entry) && !removed(entry))
      .map((entry) => [keyOf(entry), entry]),
  );
  const problems = await settled(context.settleMs, async () => {
    const listed = await listedReleases(context);
    return [...acknowledged].flatMap(([key, { sha256 }]) => {
      const found = listed.get(key)?.sha256;
      return found === sha256 ? [] : [`${key}: acknowledged as ${sha256}, listed ${found ?? "not at all"}`];
    });
  });
  return verdict("I1", "acknowledged publishes are listed with their sha256", acknowledged.size, problems);
}

/** I2: one release for each name and version, and the first digest is the digest for ever. */
export async function oneReleaseEach({ entries, truth }: CheckContext): Promise<Verdict> {
  const what = "one release for each name and version, its first digest for ever";
  const first = new Map<string, string>();
  const problems: string[] = [];
  for (const entry of publishes(entries).filter(isAcknowledged)) {
    const known = first.get(keyOf(entry)) ?? entry.sha256;
    first.set(keyOf(entry), known);
    if (known !== entry.sha256) problems.push(`${keyOf(entry)}: acknowledged as ${known} and as ${entry.sha256}`);
  }
  const stored = (await truth?.releases()) ?? [];
  const seen = new Set<string>();
  for (const { plugin, version, sha256 } of stored) {
    const key = keyOf({ name: plugin, version });
    if (seen.has(key)) problems.push(`${key}: stored more than once`);
    seen.add(key);
    const known = first.get(key);
    if (known !== undefined && known !== sha256) problems.push(`${key}: acknowledged as ${known}, stored as ${sha256}`);
  }
  return verdict("I2", what, Math.max(first.size, stored.length), problems);
}

/** I3 and, of the same releases, I10. */
export async function listedDownload(context: CheckContext): Promise<[Verdict, Verdict]> {
  const listed = [...(await listedReleases(context)).values()];
  const broken: string[] = [];
  const unchecked: string[] = [];
  await inTurns(listed, async (release) => {
    const { name, version, sha256, size, state } = release;
    const path = new URL(release.package_url).pathname;
    const { status, bytes } = await get(context, path, wholeRange);
    const right = (status === 206 || status === 200) && bytes.length === size && digestOf(bytes) === sha256;
    if (!right)
      broken.push(`${keyOf(release)}: ${status}, ${bytes.length} of ${size} bytes, sha256 ${digestOf(bytes)}`);
    const checks = await get(context, `/api/v1/plugins/${name}/versions/${version}/checks`);
    const results = checks.status === 200 ? checks.json<{ checks: { name: string; result: string }[] }>().checks : [];
    const bad = results.filter(({ result }) => result !== "passed").map((each) => `${each.name} ${each.result}`);
    if (!["published", "yanked"].includes(state)) bad.push(`state ${state}`);
    if (context.token === undefined && bad.length > 0) unchecked.push(`${keyOf(release)}: ${bad.join(", ")}`);
  });
  return [
    verdict("I3", "every listed release downloads, whole and unchanged", listed.length, broken),
    context.token === undefined
      ? verdict("I10", "nothing is visible whose checks did not pass", listed.length, unchecked)
      : notJudged("I10", "nothing is visible whose checks did not pass", "judged without a token, as others see it"),
  ];
}

/** I4: of refused publishes nothing is left. */
export async function refusedLeaveNothing(context: CheckContext): Promise<Verdict> {
  const what = "refused publishes leave nothing behind";
  const { truth, entries } = context;
  if (truth === undefined) return notJudged("I4", what, "no stores given");
  const others = new Set(
    publishes(entries)
      .filter((entry) => !isRefused(entry))
      .map(({ sha256 }) => sha256),
  );
  const refused = new Set(
    publishes(entries)
      .filter((entry) => isRefused(entry) && !others.has(entry.sha256))
      .map(({ sha256 }) => sha256),
  );
  const problems = await settled(context.settleMs, async () => {
    const documents = (await truth.releases()).filter(({ sha256 }) => refused.has(sha256));
    const blobs = ((await truth.blobKeys("blobs/")) ?? []).filter((key) => refused.has(key.split("/").at(-1) ?? ""));
    return [...documents.map(({ _id }) => `document ${_id}`), ...blobs.map((key) => `object ${key}`)];
  });
  return verdict("I4", what, refused.size, problems);
}

export function publishes(entries: readonly Entry[]): PublishEntry[] {
  return entries.filter((entry) => entry.type === "publish");
}

/** What may have been taken away is not asked for. */
function removals(entries: readonly Entry[]): (entry: { name: string; version: string }) => boolean {
  const removed = new Set(entries.filter((entry) => entry.type === "removal").map(keyOf));
  return (entry) => removed.has(keyOf(entry)) || removed.has(keyOf({ ...entry, version: "" }));
}

export async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
