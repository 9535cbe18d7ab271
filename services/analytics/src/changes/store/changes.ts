import { type Collection, type Documents, DuplicateKeyError } from "@registry/documents";
import { unavailable } from "@registry/domain";
import type { Change, Told } from "../model/change.ts";

interface Mark {
  readonly _id: string;
  readonly value: number;
}

const floorMark = "floor";
/** Each one lost means that somebody else appended, so there is always progress; more than that is a fault. */
const mostAttempts = 1000;
const trimAtOnce = 1000;
const mostTrims = 1000;

/** What is not kept any more begins below this, and whoever stands there has missed something. */
export interface Stretch {
  readonly rows: readonly Change[];
  readonly floor: number;
}

/**
 * The feed. A row's number is its key and the next one after the last, so a row can only come into being after every one
 * before it: no reader ever passes one that appears later, whatever replicas append at once.
 */
export class ChangeStore {
  readonly #changes: Collection<Change>;
  readonly #marks: Collection<Mark>;
  /** As far as this process knows; another replica may be ahead. */
  #last = 0;

  private constructor(changes: Collection<Change>, marks: Collection<Mark>) {
    this.#changes = changes;
    this.#marks = marks;
  }

  static async open(documents: Documents): Promise<ChangeStore> {
    const changes = await documents.collection<Change>({
      name: "changes",
      indexes: [{ name: "event", keys: [["eventId", 1]], unique: true }],
    });
    return new ChangeStore(changes, await documents.collection<Mark>({ name: "change_marks", indexes: [] }));
  }

  /** Resolves once the event is recorded, now or before. One at a time within a process: see `Recorder`. */
  async append(eventId: string, told: Told, recordedAt: Date): Promise<void> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const _id = this.#last + 1;
      try {
        await this.#changes.insertOne({ _id, eventId, ...told, recordedAt });
        this.#last = _id;
        return;
      } catch (error) {
        if (!(error instanceof DuplicateKeyError)) throw error;
        if (error.index === "event") return;
        this.#last = await this.newest();
      }
    }
    throw unavailable("The change feed");
  }

  /** Number of the last row; 0 where there was never one. */
  async newest(): Promise<number> {
    const [last] = await this.#changes.find({}, { sort: [["_id", -1]], limit: 1, fields: ["eventId"] });
    return Math.max(last?._id ?? 0, this.#last);
  }

  /** Rows after a number, without a gap: what a scan that met writers left out comes with the next one. */
  async after(number: number, limit: number): Promise<Stretch> {
    const found = await this.#changes.find({ _id: { $gt: number } }, { sort: [["_id", 1]], limit });
    // Read last: what was taken away in the meantime is below it.
    const floor = await this.floor();
    const from = Math.max(number, floor);
    const rows = found.filter(({ _id }) => _id > from);
    const end = rows.findIndex(({ _id }, i) => _id !== from + 1 + i);
    return { rows: end < 0 ? rows : rows.slice(0, end), floor };
  }

  /** Number of the last row that is not kept any more. */
  async floor(): Promise<number> {
    return (await this.#marks.findOne({ _id: floorMark }))?.value ?? 0;
  }

  /** Removes the oldest rows, up to the first that was recorded later; the last one stays, for the next to follow it. */
  async trim(before: Date): Promise<void> {
    for (let round = 0; round < mostTrims; round++) {
      const options = { sort: [["_id", 1]] as const, limit: trimAtOnce + 1, fields: ["recordedAt"] };
      const oldest = await this.#changes.find({}, options);
      const kept = oldest.findIndex(({ recordedAt }) => recordedAt >= before);
      const last = oldest[Math.min(kept < 0 ? trimAtOnce : kept, oldest.length - 1) - 1];
      if (last === undefined) return;
      // Before anything goes, so that nobody reads over a gap.
      await this.#marks.updateOne({ _id: floorMark }, { $max: { value: last._id } }, { upsert: true });
      await this.#changes.deleteMany({ _id: { $lte: last._id } });
    }
  }

  /** For whoever keeps a place of its own in the feed, as one of them for all replicas. */
  async place(name: string): Promise<number | undefined> {
    return (await this.#marks.findOne({ _id: name }))?.value;
  }

  /** @returns false where another replica has moved it meanwhile */
  async movePlace(name: string, from: number | undefined, to: number): Promise<boolean> {
    if (from !== undefined) {
      return (await this.#marks.updateOne({ _id: name, value: from }, { $set: { value: to } })).matchedCount > 0;
    }
    return (await this.#marks.insertNew([{ _id: name, value: to }])).length > 0;
  }
}
