import {
  type CheckContext,
  digestOf,
  get,
  inTurns,
  keyOf,
  notJudged,
  settled,
  type Verdict,
  verdict,
} from "./context.ts";
import { type Entry, isAcknowledged, isRefused, type PublishEntry } from "./journal.ts";
import { type Listed, listedReleases } from "./listed.ts";

/** Whole, and yet not counted: what the checker downloads changes no count. */
const wholeRange = { range: "bytes=0-" };

/** I1: what was acknowledged is listed and has its bytes, and nothing else is listed. */
export async function acknowledgedAreThere(context: CheckContext): Promise<Verdict> {
  const { entries, others } = context;
  const removed = removals(entries);
  const acknowledged = new Map(
    publishes(entries)
      .filter((entry) => isAcknowledged(entry) && !removed(entry))
      .map((entry) => [keyOf(entry), entry]),
  );
  const sent = new Set(publishes(entries).map((entry) => `${keyOf(entry)} ${entry.sha256}`));
  const gone = removals(entries.filter((entry) => entry.type !== "removal" || isDone(entry.status)));
  const problems = await settled(context.settleMs, async () => {
    const listed = await listedReleases(context);
    const lost = [...acknowledged].flatMap(([key, { sha256 }]) => {
      const found = listed.get(key)?.sha256;
      return found === sha256 ? [] : [`${key}: acknowledged as ${sha256}, listed ${found ?? "not at all"}`];
    });
    const all = [...listed.values()];
    const back = all.filter(gone).map((release) => `${keyOf(release)}: was taken away, and is listed`);
    const strange = others ? [] : all.filter((each) => !acknowledged.has(keyOf(each)) && !sent.has(withDigest(each)));
    return [...lost, ...back, ...strange.map((each) => `${keyOf(each)}: listed as ${each.sha256}, which nobody sent`)];
  });
  return verdict(
    "I1",
    "acknowledged publishes are listed with their sha256, and nothing else",
    acknowledged.size,
    problems,
  );
}

const withDigest = (release: Listed): string => `${keyOf(release)} ${release.sha256}`;
const isDone = (status: number | null): boolean => status !== null && status < 300;

/** I2: one release for each name and version, and the first digest is the digest for ever. */
export async function oneReleaseEach({ entries, truth }: CheckContext): Promise<Verdict> {
  const what = "one release for each name and version, its first digest for ever";
  const first = new Map<string, string>();
  const problems: string[] = [];
  const hold = (key: string, sha256: string, how: string): void => {
    const known = first.get(key);
    if (known !== undefined && known !== sha256) problems.push(`${key}: acknowledged as ${known}, ${how} as ${sha256}`);
  };
  for (const entry of publishes(entries).filter(isAcknowledged)) {
    hold(keyOf(entry), entry.sha256, "and");
    if (!first.has(keyOf(entry))) first.set(keyOf(entry), entry.sha256);
  }
  for (const entry of entries) {
    if (entry.type === "download" && entry.sha256 !== undefined) hold(keyOf(entry), entry.sha256, "downloaded");
  }
  const stored = (await truth?.releases()) ?? [];
  const seen = new Set<string>();
  for (const { plugin, version, sha256 } of stored) {
    const key = keyOf({ name: plugin, version });
    if (seen.has(key)) problems.push(`${key}: stored more than once`);
    seen.add(key);
    hold(key, sha256, "stored");
  }
  return verdict("I2", what, Math.max(first.size, stored.length), problems);
}

/** I3: whatever is listed can be had. */
export async function listedDownload(context: CheckContext): Promise<Verdict> {
  const listed = [...(await listedReleases(context)).values()];
  const broken: string[] = [];
  await inTurns(listed, async (release) => {
    const { sha256, size } = release;
    const { status, bytes } = await get(context, new URL(release.package_url).pathname, wholeRange);
    const right = (status === 206 || status === 200) && bytes.length === size && digestOf(bytes) === sha256;
    if (!right)
      broken.push(`${keyOf(release)}: ${status}, ${bytes.length} of ${size} bytes, sha256 ${digestOf(bytes)}`);
  });
  return verdict("I3", "every listed release downloads, whole and unchanged", listed.length, broken);
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
    const blobs = ((await truth.objects("blobs/")) ?? []).filter(({ key }) => refused.has(key.split("/").at(-1) ?? ""));
    return [...documents.map(({ _id }) => `document ${_id}`), ...blobs.map(({ key }) => `object ${key}`)];
  });
  return verdict("I4", what, refused.size, problems);
}

export function publishes(entries: readonly Entry[]): PublishEntry[] {
  return entries.filter((entry) => entry.type === "publish");
}

/** What may have been taken away is not asked for. */
export function removals(entries: readonly Entry[]): (entry: { name: string; version: string }) => boolean {
  const removed = new Set(entries.filter((entry) => entry.type === "removal").map(keyOf));
  return (entry) => removed.has(keyOf(entry)) || removed.has(keyOf({ ...entry, version: "" }));
}
