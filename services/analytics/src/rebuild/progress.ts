import type { Clock } from "@registry/kit";
import type { Progress, RebuildJob, RebuildJobs } from "../store/rebuild-jobs.ts";

const tellEveryMs = 1000;
/** Longer than anything that is done between two tellings. */
export const leaseMs = 60_000;

/** What a rebuild tells of itself, and how it learns that it is to end. */
export class RebuildProgress {
  readonly #jobs: RebuildJobs;
  readonly #job: RebuildJob;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #mended: Record<string, number>;
  #step = "";
  #checked = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(jobs: RebuildJobs, job: RebuildJob, clock: Clock, signal: AbortSignal) {
    this.#jobs = jobs;
    this.#job = job;
    this.#clock = clock;
    this.#signal = signal;
    // Of whoever did it before: what was set right is not found again.
    this.#mended = { ...job.mended };
  }

  get now(): Progress {
    return { step: this.#step, checked: this.#checked, mended: { ...this.#mended } };
  }

  step(step: string): void {
    this.#step = step;
    this.#toldAt = Number.NEGATIVE_INFINITY;
  }

  mended(collection: string, count = 1): void {
    if (count > 0) this.#mended[collection] = (this.#mended[collection] ?? 0) + count;
  }

  /**
   * So many documents more were looked at.
   * @throws what the process ends with, or `RebuildLost` where another has taken the rebuild over
   */
  async checked(count: number): Promise<void> {
    this.#signal.throwIfAborted();
    this.#checked += count;
    if (performance.now() - this.#toldAt < tellEveryMs) return;
    const leasedUntil = new Date(this.#clock.now().getTime() + leaseMs);
    if (!(await this.#jobs.tell(this.#job, this.now, leasedUntil))) throw new RebuildLost();
    this.#toldAt = performance.now();
  }
}

export class RebuildLost extends Error {
  override readonly name = "RebuildLost";
}
