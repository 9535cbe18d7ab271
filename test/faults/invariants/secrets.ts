import { SecretSearch } from "../../secrets/search.ts";
import { notJudged, type Verdict, verdict } from "./context.ts";

const what = "no secret stands in a log";

/**
 * I9, as far as it can be told after a run.
 * @param secrets that were in use
 */
export async function logsHoldNoSecret(logs: readonly string[], secrets: readonly string[]): Promise<Verdict> {
  if (logs.length === 0 || secrets.length === 0) return notJudged("I9", what, "no logs or no secrets given");
  const search = new SecretSearch(secrets.map((value) => ({ kind: "secret", value })));
  const problems: string[] = [];
  for (const file of logs) {
    const found = await search.searchFile(file);
    problems.push(...found.map(({ line, around }) => `${file}:${line}: ${around}`));
  }
  return verdict("I9", what, logs.length, problems);
}
