import { type Ids, Periodic, scrub } from "@registry/kit";
import type { RebuildJob, RebuildJobs } from "../store/rebuild-jobs.ts";
import type { RebuildParts } from "./parts.ts";
import { leaseMs, RebuildLost, RebuildProgress } from "./progress.ts";
import { rebuildLeaves } from "./rebuild-leaves.ts";
import { rebuildReleases } from "./rebuild-releases.ts";
import { rebuildSums } from "./rebuild-sums.ts";

const everyMs = 2000;

/** Looks for a rebuild that nobody does, and does it. */
export class RebuildRunner {
  readonly #parts: RebuildParts;
  readonly #jobs: RebuildJobs;
  readonly #worker: string;
  readonly #closing = new AbortController();
  readonly #looking: Periodic;

  constructor(parts: RebuildParts, jobs: RebuildJobs, ids: Ids) {
    this.#parts = parts;
    this.#jobs = jobs;
    this.#worker = ids.unique();
    const failed = "analytics rebuilds not looked for, tried again";
    this.#looking = new Periodic(() => this.#look(), { everyMs, log: parts.log, failed });
  }

  start(): void {
    this.#looking.start();
    this.kick();
  }

  kick(): void {
    void this.#looking.kick();
  }

  async #look(): Promise<void> {
    const now = this.#parts.clock.now();
    const job = await this.#jobs.take(this.#worker, now, new Date(now.getTime() + leaseMs));
    if (job !== null) await this.#run(job);
  }

  async #run(job: RebuildJob): Promise<void> {
    const { clock, log } = this.#parts;
    const { signal } = this.#closing;
    const progress = new RebuildProgress(this.#jobs, job, clock, signal);
    try {
      await rebuildReleases(this.#parts, progress);
      await rebuildLeaves(this.#parts, progress);
      await rebuildSums(this.#parts, progress);
      // The catalog may be behind for reasons of its own, such as a backup that it was restored from.
      await this.#parts.rollups.markAll();
      await this.#jobs.finish(job, progress.now, clock.now());
      log.info({ number: job.number, ...progress.now }, "analytics rebuilt");
    } catch (error) {
      if (error instanceof RebuildLost) return;
      if (signal.aborted) return await this.#jobs.release(job, progress.now, clock.now());
      log.warn({ err: error, number: job.number }, "analytics not rebuilt");
      const failure = scrub(error instanceof Error ? error.message : String(error)).slice(0, 500);
      await this.#jobs.finish(job, progress.now, clock.now(), failure);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#looking.close();
  }
}
