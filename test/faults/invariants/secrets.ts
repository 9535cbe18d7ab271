import { SecretSearch } from "../../secrets/search.ts";
import { type CheckContext, notJudged, type Verdict, verdict } from "./context.ts";

/** A revoked credential is dead everywhere within this time. */
const deadWithinMs = 5000;

/**
 * I9, as far as it can be told after a run: by the logs, and by what the journal says of revoked credentials.
 * @param secrets that were in use
 */
export async function secretsAreKept(
  { entries }: CheckContext,
  logs: readonly string[],
  secrets: readonly string[],
): Promise<Verdict> {
  const uses = entries.filter((entry) => entry.type === "use");
  const searched = logs.length > 0 && secrets.length > 0;
  const parts = [
    searched ? "no secret stands in a log" : "logs were not looked at",
    uses.length > 0 ? "revoked credentials are dead within 5 s" : "no credential was used after its revocation",
  ];
  const what = parts.join("; ");
  if (!searched && uses.length === 0) return notJudged("I9", what, "no logs or no secrets given");
  const problems: string[] = uses
    .filter(({ at, revoked, status }) => isServed(status) && Date.parse(at) - Date.parse(revoked) > deadWithinMs)
    .map(({ at, revoked }) => `a credential that was revoked at ${revoked} was good at ${at}`);
  const search = new SecretSearch(secrets.map((value) => ({ kind: "secret", value })));
  for (const file of searched ? logs : []) {
    const found = await search.searchFile(file);
    problems.push(...found.map(({ line, around }) => `${file}:${line}: ${around}`));
  }
  return verdict("I9", what, logs.length + uses.length, problems);
}

const isServed = (status: number | null): boolean => status !== null && status < 300;
