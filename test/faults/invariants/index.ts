import type { CheckContext, Verdict } from "./context.ts";
import { effectsAreExact } from "./effects.ts";
import type { Entry } from "./journal.ts";
import { visibleArePassed } from "./listed.ts";
import { acknowledgedAreThere, listedDownload, oneReleaseEach, refusedLeaveNothing } from "./published.ts";
import { secretsAreKept } from "./secrets.ts";
import { blobsAreReferenced, projectionsFollow } from "./stored.ts";
import { nothingIsStuck } from "./stuck.ts";
import { embeddedTruth, mongoTruth, type S3Address, type Truth } from "./truth.ts";

export type { Verdict } from "./context.ts";

export interface CheckOptions {
  /** `http://host:port` of a gateway that runs. */
  readonly url: string;
  /** Looks at what is private as well; an administrator's. */
  readonly token?: string | undefined;
  readonly entries: readonly Entry[];
  /** As in `MONGODB_URL`. */
  readonly mongodbUrl?: string | undefined;
  readonly s3?: S3Address | undefined;
  /** Of a registry with embedded stores, instead of the two above. */
  readonly dataDir?: string | undefined;
  /** As in `NATS_URL`: then consumers are looked at. */
  readonly natsUrl?: string | undefined;
  /** Files in which no secret may stand. */
  readonly logs?: readonly string[] | undefined;
  readonly secrets?: readonly string[] | undefined;
  /** How long what follows by itself may take: outbox, counts, collection of garbage. Default 30000. */
  readonly settleMs?: number | undefined;
  /** Whether there may be releases that the journal does not tell of, as in a registry that was not empty. */
  readonly others?: boolean | undefined;
  /** `UPLOAD_LIFETIME_SECONDS` of the registry: uploads that came to nothing may stay for so long. Default an hour. */
  readonly graceMs?: number | undefined;
}

/**
 * Holds a registry that is at rest against the invariants, by what its API says and what its stores hold. Changes nothing,
 * counts included.
 * @returns a verdict for each of I1 to I10, in order
 */
export async function checkInvariants(options: CheckOptions): Promise<Verdict[]> {
  const truth = await openTruth(options);
  const { url, token, entries, settleMs = 30_000, natsUrl, logs = [], secrets = [] } = options;
  const { others = false, graceMs = 3_600_000 } = options;
  const context: CheckContext = { url, token, entries, truth, settleMs, others, graceMs };
  try {
    const stuck = await nothingIsStuck(context, natsUrl);
    const one = await oneReleaseEach(context);
    const there = await acknowledgedAreThere(context);
    const effects = await effectsAreExact(context);
    const whole = await listedDownload(context);
    const refused = await refusedLeaveNothing(context);
    const projections = await projectionsFollow(context);
    const blobs = await blobsAreReferenced(context);
    const kept = await secretsAreKept(context, logs, secrets);
    const passed = await visibleArePassed(context);
    return [there, one, whole, refused, effects, blobs, stuck, projections, kept, passed];
  } finally {
    await truth?.close();
  }
}

async function openTruth({ mongodbUrl, dataDir, s3 }: CheckOptions): Promise<Truth | undefined> {
  if (mongodbUrl !== undefined) return mongoTruth(mongodbUrl, s3);
  return dataDir === undefined ? undefined : embeddedTruth(dataDir);
}

/** The verdicts as lines of a table, problems below. */
export function verdictLines(verdicts: readonly Verdict[]): string[] {
  const words = new Map([
    [true, "holds"],
    [false, "BROKEN"],
    [undefined, "not judged"],
  ]);
  return verdicts.flatMap(({ id, what, holds, checked, problems }) => [
    `${id.padEnd(4)}${(words.get(holds) ?? "").padEnd(11)}${String(checked).padStart(7)}  ${what}`,
    ...problems.map((problem) => `      ${problem}`),
  ]);
}
