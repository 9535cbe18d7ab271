import { setTimeout as pause } from "node:timers/promises";
import type { Blobs } from "@registry/blobs";
import { type Clock, Gate, type Ids, type Logger } from "@registry/kit";
import { storageBusy } from "../model/errors.ts";
import type { BlobRecords } from "../store/blob-records.ts";
import type { Contents } from "../store/contents.ts";
import type { DerivedRecords } from "../store/derived-records.ts";
import type { Uploads } from "../store/uploads.ts";
import { adoptObjects } from "./adopt.ts";
import { type AskReferenced, deleteMarked, finishDeletes, markBlobs, sweepDerived } from "./blobs.ts";
import { newTally, type Tally } from "./tally.ts";
import { type Sweep, sweepUploads } from "./uploads.ts";

export interface CollectorDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly blobs: Blobs;
  readonly uploads: Uploads;
  readonly records: BlobRecords;
  readonly contents: Contents;
  readonly derivedRecords: DerivedRecords;
  readonly referenced: AskReferenced;
  readonly graceMs: number;
  /** Between the first and the second look. */
  readonly confirmMs: number;
  readonly uploadLifetimeMs: number;
}

/** How long it is remembered under which keys a collected content lay; no process is stopped for longer and goes on. */
const rememberDeletedMs = 30 * 24 * 60 * 60 * 1000;

/**
 * Collects garbage. Collectors of several processes may run at once, and beside publishers of the same content: see
 * `BlobRecords` and the keys for what keeps them apart. Deletes no blob where the catalog cannot be asked.
 */
export class Collector {
  readonly #deps: CollectorDeps;
  /** One run at a time in this process, since a second one beside it finds nothing more. */
  readonly #gate = new Gate(1, 8, storageBusy);

  constructor(deps: CollectorDeps) {
    this.#deps = deps;
  }

  /** @throws kind `unavailable` where a store or the catalog is away; the signal's reason once it is aborted */
  async run(dryRun: boolean, signal: AbortSignal): Promise<Tally> {
    return await this.#gate.run(signal, () => this.#collect(dryRun, signal));
  }

  async #collect(dryRun: boolean, signal: AbortSignal): Promise<Tally> {
    const { uploadLifetimeMs, clock, ids, log } = this.#deps;
    const sweep: Sweep = { now: clock.now(), dryRun, signal, tally: newTally() };
    const deps = { ...this.#deps, lifetimeMs: uploadLifetimeMs, newId: ids.unique };
    await sweepUploads(deps, sweep);
    await adoptObjects(deps, sweep);
    await markBlobs(deps, sweep);
    if (!dryRun) {
      await finishDeletes(deps, sweep);
      await this.#secondLook(sweep);
      await this.#deps.records.forgetDeleted(new Date(sweep.now.getTime() - rememberDeletedMs));
    }
    await sweepDerived(deps, sweep);
    log.info({ ...sweep.tally, dryRun }, "garbage collected");
    return sweep.tally;
  }

  async #secondLook(sweep: Sweep): Promise<void> {
    const { records, confirmMs, ids } = this.#deps;
    if ((await records.page("marked", "", 1)).length === 0) return;
    await pause(confirmMs, undefined, { signal: sweep.signal });
    await deleteMarked({ ...this.#deps, newId: ids.unique }, sweep);
  }
}
