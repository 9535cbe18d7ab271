import { type Collection, type Document, type Documents, DuplicateKeyError } from "@registry/documents";

const _id = "analytics";

export type Counts = { readonly [collection: string]: number };

/** The latest rebuild of what analytics derives. */
export interface RebuildJob extends Document {
  readonly number: number;
  readonly state: "waiting" | "running" | "done" | "failed";
  readonly step: string;
  readonly checked: number;
  readonly mended: Counts;
  readonly requestedAt: Date;
  readonly finishedAt?: Date;
  readonly failure: string;
  /** The process that does it, for as long as it says so. */
  readonly worker?: string;
  readonly leasedUntil: Date;
}

export type Progress = Pick<RebuildJob, "step" | "checked" | "mended">;

/** At most one rebuild at a time, by whichever replica; one that dies leaves it to another. */
export class RebuildJobs {
  readonly #jobs: Collection<RebuildJob>;

  private constructor(jobs: Collection<RebuildJob>) {
    this.#jobs = jobs;
  }

  static async open(documents: Documents): Promise<RebuildJobs> {
    return new RebuildJobs(await documents.collection<RebuildJob>({ name: "rebuilds", indexes: [] }));
  }

  latest(): Promise<RebuildJob | null> {
    return this.#jobs.findOne({ _id });
  }

  /** @returns the one that waits or runs, or else a new one */
  async ask(now: Date): Promise<RebuildJob> {
    const fresh = {
      state: "waiting",
      step: "",
      checked: 0,
      mended: {},
      requestedAt: now,
      failure: "",
      leasedUntil: now,
    };
    const over = { _id, state: { $in: ["done", "failed"] } };
    const update = { $set: fresh, $inc: { number: 1 }, $unset: { finishedAt: true, worker: true } } as const;
    const again = await this.#jobs.findOneAndUpdate(over, update, { returnDocument: "after" });
    if (again !== null) return again;
    try {
      const first: RebuildJob = { ...fresh, state: "waiting", _id, number: 1 };
      await this.#jobs.insertOne(first);
      return first;
    } catch (error) {
      const running = error instanceof DuplicateKeyError ? await this.latest() : null;
      if (running === null) throw error;
      return running;
    }
  }

  /** @returns the job, where there is one that nobody does, with what was set right by whoever did it before */
  take(worker: string, now: Date, leasedUntil: Date): Promise<RebuildJob | null> {
    const free = { _id, state: { $in: ["waiting", "running"] }, leasedUntil: { $lte: now } };
    const start = { state: "running", worker, leasedUntil, checked: 0, step: "" };
    return this.#jobs.findOneAndUpdate(free, { $set: start }, { returnDocument: "after" });
  }

  /** @returns false where another has taken it over */
  async tell(job: RebuildJob, progress: Progress, leasedUntil: Date): Promise<boolean> {
    const own = { _id, number: job.number, worker: job.worker ?? "", state: "running" };
    return (await this.#jobs.updateOne(own, { $set: { ...progress, leasedUntil } })).matchedCount > 0;
  }

  async finish(job: RebuildJob, progress: Progress, now: Date, failure = ""): Promise<void> {
    const own = { _id, number: job.number, worker: job.worker ?? "", state: "running" };
    const state = failure === "" ? "done" : "failed";
    await this.#jobs.updateOne(own, {
      $set: { ...progress, state, failure, finishedAt: now },
      $unset: { worker: true },
    });
  }

  /** Leaves it to another. */
  async release(job: RebuildJob, progress: Progress, now: Date): Promise<void> {
    const own = { _id, number: job.number, worker: job.worker ?? "", state: "running" };
    await this.#jobs.updateOne(own, { $set: { ...progress, leasedUntil: now } });
  }
}
