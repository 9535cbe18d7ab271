import { setTimeout as pause } from "node:timers/promises";
import { EventServiceDefinition, type Rebuild } from "@registry/contracts/analytics-events";
import { MaintenanceServiceDefinition, type SearchReplica } from "@registry/contracts/maintenance";
import type { Clients } from "@registry/kit";
import { Progress } from "../package/progress.ts";
import { withOperator } from "./connect.ts";

export interface RebuildCommand {
  readonly json?: boolean;
  /** Seconds. */
  readonly timeout: number;
  /** Settings file. */
  readonly env: string;
}

const everyMs = 1000;
const asService = { as: "service" } as const;

/** What came of it, or how far it was when the time was over. */
interface Outcome {
  readonly result: "done" | "failed" | "unfinished";
  readonly text: string;
  readonly told: object;
}

/** Asks a running registry to make a projection anew, and waits until that is done. @returns the exit code */
export async function rebuild(projection: "search" | "analytics", command: RebuildCommand): Promise<number> {
  const service = projection === "search" ? "catalog" : "analytics";
  const progress = new Progress(process.stderr);
  const until = performance.now() + command.timeout * 1000;
  const outcome = await withOperator(
    command.env,
    ({ clients }) =>
      projection === "search" ? rebuildSearch(clients, progress, until) : rebuildAnalytics(clients, progress, until),
    service,
  ).finally(() => progress.end());
  const { result, text, told } = outcome;
  process.stdout.write(`${command.json === true ? JSON.stringify({ projection, result, ...told }) : text}\n`);
  return result === "done" ? 0 : 1;
}

async function rebuildSearch(clients: Clients, progress: Progress, until: number): Promise<Outcome> {
  const catalog = clients.of(MaintenanceServiceDefinition);
  const { number } = await catalog.rebuildSearch({}, asService);
  for (;;) {
    const { replicas } = await catalog.getSearchRebuild({}, asService);
    const behind = replicas.filter((replica) => replica.number < number);
    const done = replicas.length > 0 && behind.length === 0;
    const told = { number, replicas: replicas.map(replicaFields) };
    if (done) {
      const mended = Math.max(...replicas.map((replica) => replica.mended));
      const plugins = Math.max(...replicas.map((replica) => replica.plugins));
      const text = `search rebuilt on ${counted(replicas.length, "replica")}: ${counted(plugins, "plugin")}, ${mended} set right`;
      return { result: "done", text, told };
    }
    if (performance.now() >= until) {
      const names = behind.map(({ instance, failure }) => `  ${instance}${failure === "" ? "" : `: ${failure}`}`);
      const text = [`search not rebuilt yet on ${counted(behind.length, "replica")}; they go on:`, ...names].join("\n");
      return { result: "unfinished", text, told };
    }
    progress.tell(
      `rebuilding the search: ${replicas.length - behind.length} of ${counted(replicas.length, "replica")}`,
    );
    await pause(everyMs);
  }
}

function replicaFields({ instance, number, mended, plugins, failure }: SearchReplica): object {
  return { instance, number, mended, plugins, failure: failure === "" ? null : failure };
}

async function rebuildAnalytics(clients: Clients, progress: Progress, until: number): Promise<Outcome> {
  const analytics = clients.of(EventServiceDefinition);
  const asked = (await analytics.rebuildAnalytics({}, asService)).rebuild;
  for (let job = asked; ; job = (await analytics.getAnalyticsRebuild({}, asService)).rebuild) {
    if (job === undefined) throw new TypeError("analytics answered without a rebuild");
    const { number, state, step, checked, mended } = job;
    const told = { number, state, checked, mended, mended_by: job.mendedBy, failure: job.failure || null };
    // Another one may have begun since; then this one is done.
    if (state === "done" || number > (asked?.number ?? number)) {
      return {
        result: "done",
        text: `analytics rebuilt: ${counted(checked, "document")} looked at, ${mendedText(job)}`,
        told,
      };
    }
    if (state === "failed") return { result: "failed", text: `analytics not rebuilt: ${job.failure}`, told };
    if (performance.now() >= until) {
      const text = `analytics not rebuilt yet (${step || state}, ${counted(checked, "document")} looked at); it goes on`;
      return { result: "unfinished", text, told };
    }
    progress.tell(
      `rebuilding analytics: ${step || state}, ${counted(checked, "document")} looked at, ${mended} set right`,
    );
    await pause(everyMs);
  }
}

function mendedText({ mended, mendedBy }: Rebuild): string {
  const parts = Object.entries(mendedBy).map(([name, count]) => `${count} in ${name}`);
  return parts.length === 0 ? "nothing to set right" : `${mended} set right (${parts.join(", ")})`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
