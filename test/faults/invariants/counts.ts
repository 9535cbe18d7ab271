import { setTimeout as pause } from "node:timers/promises";
import { type CheckContext, get, keyOf, settled, type Verdict, verdict } from "./context.ts";
import { inTurns } from "./published.ts";

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

/** Counts that came too late for a first look would come within this. */
const lateMs = 2000;

/**
 * I5: download counts equal the distinct downloads, not about. Exact where the journal knows the end of every download;
 * one that broke off may have been counted or not.
 */
export async function countsAreExact(context: CheckContext): Promise<Verdict> {
  const bounds = boundsOf(context);
  let uncertain = 0;
  for (const { least, most } of bounds.values()) uncertain += most - least;
  const early = await settled(context.settleMs, async () => (await compare(context, bounds)).tooFew);
  await pause(lateMs);
  const { tooFew, tooMany } = await compare(context, bounds);
  const problems = [...new Set([...early, ...tooFew, ...tooMany])];
  const downloads = bounds.values().reduce((sum, { least }) => sum + least, 0);
  return verdict("I5", `download counts equal the journal (${uncertain} broke off)`, downloads, problems);
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

async function compare(
  context: CheckContext,
  bounds: ReadonlyMap<string, Bounds>,
): Promise<{ tooFew: string[]; tooMany: string[] }> {
  const tooFew: string[] = [];
  const tooMany: string[] = [];
  const byPlugin = Map.groupBy(bounds.values(), ({ name }) => name);
  await inTurns([...byPlugin], async ([name, releases]) => {
    const answer = await get(context, `/api/v1/analytics/plugins/${name}`);
    const usage: Usage = answer.status === 200 ? answer.json<Usage>() : { downloads: 0, versions: [] };
    for (const { version, least, most } of releases) {
      const counted = usage.versions.find((each) => each.version === version)?.downloads ?? 0;
      const told = `${keyOf({ name, version })}: ${counted} counted, ${least === most ? least : `${least} to ${most}`} made`;
      if (counted < least) tooFew.push(told);
      if (counted > most) tooMany.push(told);
    }
    const sum = usage.versions.reduce((total, { downloads }) => total + downloads, 0);
    if (sum !== usage.downloads) tooFew.push(`${name}: ${usage.downloads} in all, ${sum} by version`);
  });
  return { tooFew, tooMany };
}
