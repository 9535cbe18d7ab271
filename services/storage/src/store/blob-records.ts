import {
  type Collection,
  type CollectionSpec,
  type Document,
  type Documents,
  DuplicateKeyError,
} from "@registry/documents";
import type { Digest } from "@registry/domain";
import type { OriginalForm } from "../model/packing.ts";

/**
 * - `present`: its object is there and stays
 * - `marked`: a collector found no release that refers to it; a commit takes it back
 * - `deleting`: its object is gone or about to go; a commit brings the content back under the next generation's key
 * - `deleted`: as `deleting`, and its object is gone
 */
export type BlobState = "present" | "marked" | "deleting" | "deleted";

export interface BlobRecord extends OriginalForm {
  readonly digest: Digest;
  readonly size: number;
  readonly state: BlobState;
  /** Part of its key: how often the content was collected before. */
  readonly generation: number;
  /** When it was last committed. */
  readonly touchedAt: Date;
  /** Of the marking, while it is marked. */
  readonly markId?: string;
}

interface BlobDocument extends Document {
  _id: Digest;
  size: number;
  state: BlobState;
  generation: number;
  touchedAt: Date;
  createdAt: Date;
  deletedAt?: Date;
  markId?: string;
  container?: string;
  topFolder?: string;
}

export type NewBlob = Pick<BlobRecord, "digest" | "size" | "container" | "topFolder">;

const totalsPage = 1000;

const spec: CollectionSpec = {
  name: "blobs",
  indexes: [
    {
      name: "by_state",
      keys: [
        ["state", 1],
        ["_id", 1],
      ],
    },
  ],
};

const form = ({ container, topFolder }: OriginalForm): OriginalForm => ({
  ...(container === undefined ? {} : { container }),
  ...(topFolder === undefined ? {} : { topFolder }),
});

function toRecord(document: BlobDocument): BlobRecord {
  const { _id, size, state, generation, touchedAt, markId } = document;
  return {
    digest: _id,
    size,
    state,
    generation,
    touchedAt,
    ...form(document),
    ...(markId === undefined ? {} : { markId }),
  };
}

/** One document for each blob. Every change of its state is a compare-and-set, so that collectors and publishers may race. */
export class BlobRecords {
  readonly #collection: Collection<BlobDocument>;

  private constructor(collection: Collection<BlobDocument>) {
    this.#collection = collection;
  }

  static async open(documents: Documents): Promise<BlobRecords> {
    return new BlobRecords(await documents.collection<BlobDocument>(spec));
  }

  async find(digest: Digest): Promise<BlobRecord | undefined> {
    const found = await this.#collection.findOne({ _id: digest });
    return found === null ? undefined : toRecord(found);
  }

  async findMany(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobRecord>> {
    const found = await this.#collection.find({ _id: { $in: digests } }, { limit: digests.length });
    return new Map(found.map((document) => [document._id, toRecord(document)]));
  }

  /** @returns false where there is a record already */
  async insert(blob: NewBlob, generation: number, now: Date): Promise<boolean> {
    const { digest, size } = blob;
    const fresh = { _id: digest, size, state: "present", generation, touchedAt: now, createdAt: now } as const;
    try {
      await this.#collection.insertOne({ ...fresh, ...form(blob) });
      return true;
    } catch (error) {
      if (error instanceof DuplicateKeyError) return false;
      throw error;
    }
  }

  /** Keeps a present or marked blob. @returns false where its deletion was begun meanwhile */
  async touch(blob: NewBlob, generation: number, now: Date): Promise<boolean> {
    const changed = await this.#collection.updateOne(
      { _id: blob.digest, generation, state: { $in: ["present", "marked"] } },
      { $set: { state: "present", touchedAt: now, ...form(blob) }, $unset: { markId: true } },
    );
    return changed.matchedCount > 0;
  }

  /** Brings a collected blob back, once its object is there under the next generation's key. @returns false where another was faster */
  async revive(blob: NewBlob, generation: number, now: Date): Promise<boolean> {
    const changed = await this.#collection.updateOne(
      { _id: blob.digest, generation, state: { $in: ["deleting", "deleted"] } },
      {
        $set: { state: "present", generation: generation + 1, size: blob.size, touchedAt: now, ...form(blob) },
        $unset: { deletedAt: true, markId: true },
      },
    );
    return changed.matchedCount > 0;
  }

  /** @returns false where it was committed, marked or deleted meanwhile */
  async mark(digest: Digest, touchedAt: Date, markId: string): Promise<boolean> {
    const changed = await this.#collection.updateOne(
      { _id: digest, state: "present", touchedAt },
      { $set: { state: "marked", markId } },
    );
    return changed.matchedCount > 0;
  }

  async unmark(digest: Digest, markId: string): Promise<void> {
    await this.#collection.updateOne(
      { _id: digest, state: "marked", markId },
      { $set: { state: "present" }, $unset: { markId: true } },
    );
  }

  /** @returns false where it was committed meanwhile */
  async beginDelete(digest: Digest, markId: string): Promise<boolean> {
    const changed = await this.#collection.updateOne(
      { _id: digest, state: "marked", markId },
      { $set: { state: "deleting" }, $unset: { markId: true } },
    );
    return changed.matchedCount > 0;
  }

  async endDelete(digest: Digest, generation: number, now: Date): Promise<void> {
    await this.#collection.updateOne(
      { _id: digest, state: "deleting", generation },
      { $set: { state: "deleted", deletedAt: now } },
    );
  }

  /** Records in a state, ordered by digest, from behind `after` ("" is the beginning). */
  async page(state: BlobState, after: string, limit: number): Promise<readonly BlobRecord[]> {
    const found = await this.#collection.find(
      { state, _id: { $gt: after } },
      {
        sort: [
          ["state", 1],
          ["_id", 1],
        ],
        limit,
      },
    );
    return found.map(toRecord);
  }

  /** How many blobs are kept and how large they are together; what changes meanwhile may count or not. */
  async totals(signal: AbortSignal): Promise<{ readonly count: number; readonly bytes: number }> {
    let count = 0;
    let bytes = 0;
    for (const state of ["present", "marked"] as const) {
      for (let after: Digest | "" = ""; ; ) {
        signal.throwIfAborted();
        const page = await this.page(state, after, totalsPage);
        count += page.length;
        bytes += page.reduce((sum, { size }) => sum + size, 0);
        const last = page.at(-1);
        if (last === undefined || page.length < totalsPage) break;
        after = last.digest;
      }
    }
    return { count, bytes };
  }

  /** Forgets what was deleted before a time. */
  async forgetDeleted(before: Date): Promise<void> {
    await this.#collection.deleteMany({ state: "deleted", deletedAt: { $lt: before } });
  }
}
