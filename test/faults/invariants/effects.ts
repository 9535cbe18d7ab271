import { type CheckContext, get, keyOf, settled, type Verdict, verdict } from "./context.ts";
import { countsAreExact } from "./counts.ts";
import { isAcknowledged } from "./journal.ts";
import { publishes, removals } from "./published.ts";

/** I5: every event has exactly one effect: downloads are counted, publications noted and told of once each, not about. */
export async function effectsAreExact(context: CheckContext): Promise<Verdict> {
  const { downloads, uncertain, problems } = await countsAreExact(context);
  const noted = await settled(context.settleMs, () => wronglyNoted(context));
  const told = await settled(context.settleMs, () => wronglyTold(context));
  const broke = uncertain === 0 ? "" : ` (${uncertain} downloads broke off)`;
  const looked = context.truth === undefined ? "; what consumers store was not looked at" : "";
  const what = `each event has one effect: download counts equal the journal${broke}${looked}`;
  return verdict("I5", what, downloads, [...problems, ...noted, ...told]);
}

/** Analytics notes each publication once, and none of what was deleted. */
async function wronglyNoted({ truth }: CheckContext): Promise<string[]> {
  if (truth === undefined) return [];
  const noted = Map.groupBy(await truth.noted(), ({ plugin, version }) => keyOf({ name: plugin, version }));
  return (await truth.releases()).flatMap(({ plugin, version, state }) => {
    const key = keyOf({ name: plugin, version });
    const expected = state === "published" || state === "yanked" ? 1 : 0;
    const found = (noted.get(key) ?? []).filter(({ shown }) => shown).length;
    return found === expected ? [] : [`${key}: ${state}, and noted as published ${found} times`];
  });
}

interface Feed {
  readonly changes: readonly {
    readonly id: string;
    readonly type: string;
    readonly plugin: string;
    readonly version?: string;
  }[];
  readonly next: string;
  readonly more: boolean;
}

const mostPages = 10_000;

/** The feed of changes tells each event once, and every acknowledged publish. */
async function wronglyTold(context: CheckContext): Promise<string[]> {
  const told = new Map<string, number>();
  const ids = new Set<string>();
  const twice: string[] = [];
  let since = "";
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await get(context, `/api/v1/changes?limit=500${since === "" ? "" : `&since=${since}`}`);
    if (answer.status !== 200) return [`the feed of changes answers ${answer.status}`];
    const { changes, next, more } = answer.json<Feed>();
    for (const { id, type, plugin, version = "" } of changes) {
      if (ids.has(id)) twice.push(`${type} of ${plugin}: ${id} is told twice`);
      ids.add(id);
      const key = keyOf({ name: plugin, version });
      if (type === "release.published") told.set(key, (told.get(key) ?? 0) + 1);
    }
    since = next;
    if (!more) break;
  }
  return [...twice, ...notToldOnce(context, told)];
}

function notToldOnce({ entries }: CheckContext, told: ReadonlyMap<string, number>): string[] {
  const removed = removals(entries);
  const acknowledged = publishes(entries).filter((entry) => isAcknowledged(entry) && !removed(entry));
  const keys = new Set(acknowledged.map(keyOf));
  const missing = [...keys].filter((key) => !told.has(key)).map((key) => `${key}: published, and not told of`);
  const again = [...told].filter(([, times]) => times > 1).map(([key, times]) => `${key}: told of ${times} times`);
  return [...missing, ...again];
}
