import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";

export const usage = `npm run faults -- [--minutes N] [--seed S] [--short] [--json] [--keep]
npm run faults -- check --url URL --journal FILE [options]

Starts a registry of ten processes on MongoDB, NATS and MinIO, has clients use it, hurts it again and again, and holds it
against the invariants. Everything is on 127.0.0.1, in temporary folders, and ended with it. \`check\` judges a registry
that runs already, by the journal of whoever used it: \`npm run faults -- check --help\`.

  --minutes N   how long faults go on, 1 to 600 (5)
  --seed S      which faults in which order, 0 to 4294967295 (by chance, and printed)
  --short       each kind of fault once, about a minute, instead of --minutes
  --json        one JSON object instead of tables; what happens meanwhile is told on standard error
  --keep        keeps the journal and the logs, which are kept anyway where something is broken

Exit codes: 0 everything holds, 1 something is broken or did not come back, 2 wrong usage, or it cannot run here.`;

export interface CampaignOptions {
  /** Undefined: each kind of fault once. */
  readonly minutes: number | undefined;
  readonly seed: number;
  readonly json: boolean;
  readonly keep: boolean;
}

/** @returns undefined where help is asked for. @throws Error naming what is wrong */
export function parseOptions(args: readonly string[]): CampaignOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ minutes: { type: "string" }, seed: { type: "string" }, short: { type: "boolean", default: false } },
      ...{ json: { type: "boolean", default: false }, keep: { type: "boolean", default: false } },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  if (values.short && values.minutes !== undefined) throw new Error("--short and --minutes exclude each other");
  const minutes = whole("--minutes", values.minutes ?? "5", 1, 600);
  const seed = whole("--seed", values.seed ?? String(randomInt(2 ** 32)), 0, 2 ** 32 - 1);
  return { minutes: values.short ? undefined : minutes, seed, json: values.json, keep: values.keep };
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw new Error(`${name}: expected a whole number from ${least} to ${most}`);
  return value;
}
