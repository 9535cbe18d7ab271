import { type CheckContext, get, inTurns, keyOf, notJudged, type Verdict, verdict } from "./context.ts";

/** What the checker reads of a release in an info. */
export interface Listed {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly size: number;
  readonly state: string;
  readonly package_url: string;
}

interface Info {
  readonly releases: readonly Omit<Listed, "name">[];
}

/** Every release that is listed, by `name@version`. */
export async function listedReleases(context: CheckContext): Promise<Map<string, Listed>> {
  const { plugins } = (await get(context, "/api/v1/plugins/all")).json<{ plugins: { name: string }[] }>();
  const listed = new Map<string, Listed>();
  await inTurns(plugins, async ({ name }) => {
    const answer = await get(context, `/api/v1/plugins/${name}`);
    if (answer.status !== 200) return;
    for (const release of answer.json<Info>().releases) {
      listed.set(keyOf({ name, version: release.version }), { ...release, name });
    }
  });
  return listed;
}

/** I10, as those see it who have no rights: owners and reviewers are shown what is hidden from others. */
export async function visibleArePassed(context: CheckContext): Promise<Verdict> {
  const what = "nothing is visible to others whose checks did not pass";
  const others = { ...context, token: undefined };
  const { status } = await get(others, "/api/v1/plugins/all");
  if (status !== 200) return notJudged("I10", what, `without a credential the list of plugins answers ${status}`);
  const listed = [...(await listedReleases(others)).values()];
  const problems: string[] = [];
  await inTurns(listed, async ({ name, version, state }) => {
    const checks = await get(others, `/api/v1/plugins/${name}/versions/${version}/checks`);
    const results = checks.status === 200 ? checks.json<{ checks: { name: string; result: string }[] }>().checks : [];
    const bad = results.filter(({ result }) => result !== "passed").map((each) => `${each.name} ${each.result}`);
    if (!["published", "yanked"].includes(state)) bad.push(`state ${state}`);
    if (bad.length > 0) problems.push(`${keyOf({ name, version })}: ${bad.join(", ")}`);
  });
  return verdict("I10", what, listed.length, problems);
}
