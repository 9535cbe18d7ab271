import { join } from "node:path";
import { checkInvariants, type Verdict } from "../invariants/index.ts";
import { Journal } from "../invariants/journal.ts";
import { type Seeded, seeded } from "../seeded.ts";
import { type Downloads, untilCounted } from "./counted.ts";
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
  const downloads = await untilCounted(registry, setting, say);
  const invariants = await judge(registry, setting);
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

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

function lineOf({ kind, detail, recoveredMs, tried, failed }: Injected): string {
  const recovery = recoveredMs === undefined ? "no recovery" : `served again after ${seconds(recoveredMs)} s`;
  return `${kind} (${detail}): ${recovery}; ${failed} of ${tried} requests failed`;
}
