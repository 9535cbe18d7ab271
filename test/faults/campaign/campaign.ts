import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { checkInvariants, type Verdict } from "../invariants/index.ts";
import { Journal } from "../invariants/journal.ts";
import { type Seeded, seeded } from "../seeded.ts";
import { ask, jsonOf } from "./client.ts";
import { allReady, type Injected, inject } from "./injecting.ts";
import { Load } from "./load.ts";
import type { CampaignOptions } from "./options.ts";
import { Packages } from "./packages.ts";
import { longPlan, shortPlan } from "./plan.ts";
import { type Registry, startRegistry } from "./registry.ts";
import type { Fault, Scene } from "./scene.ts";
import type { Setting } from "./setting.ts";
import { Shelf } from "./shelf.ts";
import { Tally } from "./tally.ts";

interface Downloads {
  readonly counted: number;
  /** According to the journal. */
  readonly least: number;
  readonly most: number;
  /** From the last fault until all were counted; undefined: they never were. */
  readonly settledMs: number | undefined;
}

/** What a campaign came to. */
export interface Report {
  readonly seed: number;
  readonly faults: readonly Injected[];
  /** By what clients do. */
  readonly requests: Tally["all"];
  readonly invariants: readonly Verdict[];
  readonly downloads: Downloads;
  /** What else is wrong; empty where nothing is. */
  readonly problems: readonly string[];
}

/** The outbox has to have drained within 30 s of the last fault (I7), and so has all that follows by itself. */
const settleMs = 30_000;
/** The shortest life of an upload, and a collection of garbage after it. */
const graceMs = 70_000;
const convergeMs = 60_000;
const startWithinMs = 60_000;
const countedWithinMs = 150_000;
const tellEveryMs = 10_000;
const lookEveryMs = 500;
const mostUnexpected = 20;

interface Shape {
  readonly duplicateSeconds: number;
  readonly lasting: Scene["lasting"];
  readonly mostPublishes: number;
  readonly endsAfterMs: number;
}

const shapeOf = ({ minutes }: CampaignOptions): Shape =>
  minutes === undefined
    ? { duplicateSeconds: 2, lasting: [500, 1500], mostPublishes: 500, endsAfterMs: Number.POSITIVE_INFINITY }
    : {
        duplicateSeconds: 120,
        lasting: [1000, 6000],
        mostPublishes: 1000 + 200 * minutes,
        endsAfterMs: minutes * 60_000,
      };

/**
 * @param folder for the journal and the logs
 * @param say what happens, line by line
 */
export async function runCampaign(
  options: CampaignOptions,
  folder: string,
  say: (line: string) => void,
): Promise<Report> {
  // What clients do follows from how fast they are answered, so it must not decide on the faults.
  const [random, ofClients] = [seeded(options.seed), seeded(options.seed + 1)];
  const shape = shapeOf(options);
  const startedAt = performance.now();
  const registry = await startRegistry(folder, shape.duplicateSeconds);
  say(`${registry.stack.names.length} processes started in ${seconds(performance.now() - startedAt)} s`);
  const problems: string[] = [];
  const setting = settingOf(registry, ofClients, join(folder, "journal.jsonl"), problems);
  const load = new Load(setting, shape.mostPublishes);
  load.start();
  const scene = { registry, setting, random, lasting: shape.lasting };
  const faults: Injected[] = [];
  try {
    if (!(await setting.tally.servedAfter(0, ["publish", "download"], startWithinMs))) {
      throw new Error("the registry did not serve before any fault");
    }
    const plan = options.minutes === undefined ? shortPlan(random) : longPlan(random);
    for (const fault of withinTime(plan, shape.endsAfterMs)) {
      const injected = await inject(fault, scene);
      say(lineOf(injected));
      faults.push(injected);
      if (injected.recoveredMs === undefined) problems.push(`no recovery within a minute: ${injected.kind}`);
    }
  } finally {
    await load.stop();
  }
  if (!(await allReady([...registry.stack.health.values()]))) problems.push("not every process is ready at the end");
  problems.push(...(await load.converge(convergeMs)));
  say("waiting for the counts, then holding it against the invariants");
  const settled = await untilCounted(registry, setting, say);
  const invariants = await judge(registry, setting);
  const downloads = { ...(await counted(registry, setting)), ...settled };
  return { seed: options.seed, faults, requests: setting.tally.all, invariants, downloads, problems };
}

function* withinTime(plan: Iterable<Fault>, endsAfterMs: number): Generator<Fault> {
  const limit = performance.now() + endsAfterMs;
  for (const fault of plan) {
    if (performance.now() > limit) return;
    yield fault;
  }
}

function settingOf(registry: Registry, random: Seeded, journalFile: string, problems: string[]): Setting {
  const { stack, secrets } = registry;
  return {
    ...{ gateways: stack.baseUrls, token: stack.adminToken, random, secrets },
    ...{ journal: new Journal(journalFile), tally: new Tally() },
    ...{ packages: new Packages(random), shelf: new Shelf(random), open: [], openRemovals: [] },
    unexpected(what) {
      if (problems.length < mostUnexpected) problems.push(`unexpected: ${what}`);
    },
  };
}

function judge({ stack, stores, logs, secrets }: Registry, { journal }: Setting): Promise<Verdict[]> {
  const { MONGODB_URL, S3_BUCKET = "", S3_ACCESS_KEY = "", S3_SECRET_KEY = "" } = stack.operatorSettings;
  return checkInvariants({
    ...{ url: stack.baseUrls[0] ?? "", entries: journal.entries, mongodbUrl: MONGODB_URL, natsUrl: stores.nats.url },
    s3: { endpoint: stores.minio.endpoint, bucket: S3_BUCKET, accessKey: S3_ACCESS_KEY, secretKey: S3_SECRET_KEY },
    ...{ logs, secrets, settleMs, graceMs },
  });
}

/**
 * Waits until the downloads are counted. How long that may take nobody promises, only that none is lost: a database that is
 * busy counts slowly.
 */
async function untilCounted(
  registry: Registry,
  setting: Setting,
  say: (line: string) => void,
): Promise<Pick<Downloads, "settledMs">> {
  const begun = performance.now();
  for (let told = begun; performance.now() - begun < countedWithinMs; ) {
    const { counted: now, least } = await counted(registry, setting);
    const settledMs = Math.round(performance.now() - begun);
    if (now >= least) return { settledMs };
    if (performance.now() - told > tellEveryMs)
      say(`  ${now} of ${least} downloads counted after ${seconds(settledMs)} s`);
    if (performance.now() - told > tellEveryMs) told = performance.now();
    await pause(lookEveryMs);
  }
  return { settledMs: undefined };
}

/** All downloads that analytics tells of, beside those that clients made. */
async function counted({ stack }: Registry, { journal }: Setting): Promise<Omit<Downloads, "settledMs">> {
  const reply = await ask("GET", `${stack.baseUrls[0]}/api/v1/analytics/metrics`).catch(() => undefined);
  const { total_downloads } =
    reply?.status === 200 ? jsonOf<{ total_downloads: number }>(reply) : { total_downloads: Number.NaN };
  const made = (outcome: string): number =>
    journal.entries.filter((entry) => entry.type === "download" && entry.outcome === outcome).length;
  const least = made("complete");
  return { counted: total_downloads, least, most: least + made("unknown") };
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

function lineOf({ kind, detail, recoveredMs, tried, failed }: Injected): string {
  const recovery = recoveredMs === undefined ? "no recovery" : `served again after ${seconds(recoveredMs)} s`;
  return `${kind} (${detail}): ${recovery}; ${failed} of ${tried} requests failed`;
}
