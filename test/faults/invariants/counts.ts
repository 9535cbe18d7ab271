import { setTimeout as pause } from "node:timers/promises";
import { type CheckContext, get, inTurns, keyOf, settled } from "./context.ts";
import { removals } from "./published.ts";

interface Usage {
  readonly downloads: number;
  readonly versions: readonly { readonly version: string; readonly downloads: number }[];
}

/** What the journal says that must, and what may have been counted of one release. */
interface Bounds {
  readonly name: string;
  readonly version: string;
  least: number;
  most: number;
}

export interface Counted {
  /** Downloads that must have been counted. */
  readonly downloads: number;
  /** Those that broke off: counted or not. */
  readonly uncertain: number;
  readonly problems: readonly string[];
}

/** Counts that came too late for a first look would come within this, or within what things may take to settle. */
const lateMs = 2000;

/** Whether counts equal the distinct downloads: exact where the journal knows the end of every download. */
export async function countsAreExact(context: CheckContext): Promise<Counted> {
  const bounds = boundsOf(context);
  let uncertain = 0;
  for (const { least, most } of bounds.values()) uncertain += most - least;
  const early = await settled(context.settleMs, async () => (await compare(context, bounds)).tooFew);
  await pause(Math.min(lateMs, context.settleMs));
  const { tooFew, tooMany } = await compare(context, bounds);
  const downloads = bounds.values().reduce((sum, { least }) => sum + least, 0);
  return { downloads, uncertain, problems: [...new Set([...early, ...tooFew, ...tooMany])] };
}

function boundsOf({ entries }: CheckContext): Map<string, Bounds> {
  const bounds = new Map<string, Bounds>();
  for (const entry of entries) {
    if (entry.type !== "download" || entry.outcome === "refused") continue;
    const { name, version } = entry;
    const known = bounds.get(keyOf(entry)) ?? { name, version, least: 0, most: 0 };
    known.most += 1;
    if (entry.outcome === "complete") known.least += 1;
    bounds.set(keyOf(entry), known);
  }
  return bounds;
}

interface Differences {
  readonly tooFew: string[];
  readonly tooMany: string[];
}

async function compare(context: CheckContext, bounds: ReadonlyMap<string, Bounds>): Promise<Differences> {
  const found: Differences = { tooFew: [], tooMany: [] };
  const stored = await context.truth?.counted();
  const byPlugin = Map.groupBy(bounds.values(), ({ name }) => name);
  await inTurns([...byPlugin], async ([name, releases]) => {
    const answer = await get(context, `/api/v1/analytics/plugins/${name}`);
    const usage = answer.status === 200 ? answer.json<Usage>() : undefined;
    if (stored === undefined) compareShown(context, usage, releases, found);
    else compareStored(stored, usage, { name, releases }, found);
  });
  return found;
}

/** By the stores, deleted releases included. */
function compareStored(
  stored: ReadonlyMap<string, number>,
  usage: Usage | undefined,
  { name, releases }: { readonly name: string; readonly releases: readonly Bounds[] },
  found: Differences,
): void {
  for (const bounds of releases) hold(bounds, stored.get(keyOf(bounds)) ?? 0, found);
  let sum = 0;
  for (const [key, count] of stored) if (key.startsWith(`${name}@`)) sum += count;
  if (usage !== undefined && usage.downloads !== sum) found.tooFew.push(`${name}: says ${usage.downloads}, has ${sum}`);
  for (const { version, downloads } of usage?.versions ?? []) {
    const counted = stored.get(keyOf({ name, version })) ?? 0;
    if (counted !== downloads) found.tooFew.push(`${keyOf({ name, version })}: says ${downloads}, has ${counted}`);
  }
}

/** By the answers alone, which tell of no release that was deleted. */
function compareShown(
  { entries }: CheckContext,
  usage: Usage | undefined,
  releases: readonly Bounds[],
  found: Differences,
): void {
  const removed = removals(entries);
  for (const bounds of releases.filter((each) => !removed(each))) {
    hold(bounds, usage?.versions.find(({ version }) => version === bounds.version)?.downloads ?? 0, found);
  }
}

function hold(bounds: Bounds, counted: number, { tooFew, tooMany }: Differences): void {
  const { least, most } = bounds;
  const told = `${keyOf(bounds)}: ${counted} counted, ${least === most ? least : `${least} to ${most}`} made`;
  if (counted < least) tooFew.push(told);
  if (counted > most) tooMany.push(told);
}
