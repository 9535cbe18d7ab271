import { Periodic } from "@registry/kit";
import type { Parts } from "./parts.ts";
import { freeName } from "./publish/claim.ts";
import { dropUpload } from "./publish/upload.ts";
import { finishDeletion } from "./usecases/bury.ts";

const batch = 100;
/** Long enough for whoever wrote last to be done, short enough to heal before anybody asks why. */
const graceMs = 15_000;
const forgetAbandonedMs = 24 * 3600 * 1000;
/** How long a release whose tests failed is kept for its publisher to read why. */
const mendingMs = 7 * 24 * 3600 * 1000;

/** Ends what a crash left half done. Every replica sweeps; each step is a write that compares first. */
export class Sweeper {
  readonly #parts: Parts;
  readonly #sweeping: Periodic;
  #claimsAfter = new Date(0);

  constructor(parts: Parts) {
    this.#parts = parts;
    const everyMs = parts.config.CATALOG_SWEEP_SECONDS * 1000;
    this.#sweeping = new Periodic(() => this.#sweep(), {
      everyMs,
      log: parts.log,
      failed: "sweep failed, tried again",
    });
  }

  start(): void {
    this.#sweeping.start();
  }

  close(): Promise<void> {
    return this.#sweeping.close();
  }

  async #sweep(): Promise<void> {
    const now = this.#parts.clock.now().getTime();
    const stagedBefore = new Date(now - this.#parts.config.CATALOG_STAGED_SECONDS * 1000);
    const settledBefore = new Date(now - graceMs);
    const steps: { readonly [what: string]: () => Promise<void> } = {
      abandon: () => this.#abandon(stagedBefore),
      mend: () => this.#endMending(new Date(now - mendingMs)),
      project: () => this.#project(settledBefore),
      delete: () => this.#delete(settledBefore),
      free: () => this.#free(stagedBefore),
      limits: () => this.#parts.limits.sweep(new Date(now)),
      forget: async () => void (await this.#parts.releases.forgetAbandonedBefore(new Date(now - forgetAbandonedMs))),
    };
    for (const [what, step] of Object.entries(steps)) {
      try {
        await step();
      } catch (error) {
        this.#parts.log.warn({ what, err: error }, "sweep failed, tried again");
      }
    }
  }

  /** The publisher is gone, or will find that it has to start over. */
  async #abandon(before: Date): Promise<void> {
    for (const release of await this.#parts.releases.stagedBefore(before, batch)) {
      if (!(await this.#parts.releases.abandon(release))) continue;
      this.#parts.log.info({ plugin: release.plugin, version: release.version }, "unfinished publish given up");
      await dropUpload(this.#parts, release.uploadId);
      await freeName(this.#parts, release.plugin);
    }
  }

  async #endMending(before: Date): Promise<void> {
    for (const release of await this.#parts.releases.waiting.before("mending", before, batch)) {
      if (await this.#parts.releases.abandon(release)) await freeName(this.#parts, release.plugin);
    }
  }

  async #project(before: Date): Promise<void> {
    const heads = await this.#parts.releases.unprojectedBefore(before, batch);
    for (const name of new Set(heads.map((head) => head.plugin))) await this.#parts.projector.project(name);
  }

  async #delete(before: Date): Promise<void> {
    for (const plugin of await this.#parts.plugins.deletionsBefore(before, batch)) {
      await finishDeletion(this.#parts, plugin);
    }
  }

  async #free(before: Date): Promise<void> {
    const claims = await this.#parts.plugins.claimsBetween(this.#claimsAfter, before, batch);
    for (const claim of claims) await freeName(this.#parts, claim._id);
    // Names whose release waits stay, and must not keep the sweep from those behind them.
    this.#claimsAfter = claims.length < batch ? new Date(0) : (claims.at(-1)?.createdAt ?? new Date(0));
  }
}
