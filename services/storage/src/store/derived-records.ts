import {
  type Collection,
  type CollectionSpec,
  type Document,
  type Documents,
  DuplicateKeyError,
} from "@registry/documents";
import type { Digest } from "@registry/domain";

/** A derived packing that lies in the object store. */
export interface DerivedRecord {
  /** Of the object. */
  readonly key: string;
  /** Of the blob that it was made from. */
  readonly source: Digest;
  readonly packing: string;
  readonly topFolder: string;
  readonly size: number;
  readonly sha256: string;
}

interface DerivedDocument extends Document {
  _id: string;
  source: Digest;
  packing: string;
  topFolder: string;
  size: number;
  sha256: string;
  createdAt: Date;
}

const spec: CollectionSpec = {
  name: "derived",
  indexes: [{ name: "by_source", keys: [["source", 1]] }],
};

export class DerivedRecords {
  readonly #collection: Collection<DerivedDocument>;

  private constructor(collection: Collection<DerivedDocument>) {
    this.#collection = collection;
  }

  static async open(documents: Documents): Promise<DerivedRecords> {
    return new DerivedRecords(await documents.collection<DerivedDocument>(spec));
  }

  async find(key: string): Promise<DerivedRecord | undefined> {
    const found = await this.#collection.findOne({ _id: key });
    if (found === null) return undefined;
    const { source, packing, topFolder, size, sha256 } = found;
    return { key, source, packing, topFolder, size, sha256 };
  }

  /** Does nothing where there is a record of that key. */
  async insert(record: DerivedRecord, now: Date): Promise<void> {
    const { key, ...rest } = record;
    try {
      await this.#collection.insertOne({ _id: key, ...rest, createdAt: now });
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
  }

  async remove(key: string): Promise<void> {
    await this.#collection.deleteOne({ _id: key });
  }

  async removeOf(source: Digest): Promise<void> {
    await this.#collection.deleteMany({ source });
  }
}
