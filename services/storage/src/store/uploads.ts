import type { Collection, CollectionSpec, Document, Documents } from "@registry/documents";
import type { Digest } from "@registry/domain";
import type { PackageContent, UploadedPackage } from "../model/upload.ts";

interface UploadDocument extends Document {
  _id: string;
  sha256: Digest;
  size: number;
  content: PackageContent;
  uploadedBy: number;
  createdAt: Date;
  expiresAt: Date;
  /** Its bytes are a blob; absent while they wait. */
  committed?: boolean;
}

const spec: CollectionSpec = {
  name: "uploads",
  indexes: [
    { name: "by_expiry", keys: [["expiresAt", 1]] },
    {
      name: "waiting",
      keys: [
        ["uploadedBy", 1],
        ["committed", 1],
        ["expiresAt", 1],
      ],
    },
  ],
};

/** Packages that were received. A committed one stays until it expires, so that committing again gives the same answer. */
export class Uploads {
  readonly #collection: Collection<UploadDocument>;

  private constructor(collection: Collection<UploadDocument>) {
    this.#collection = collection;
  }

  static async open(documents: Documents): Promise<Uploads> {
    return new Uploads(await documents.collection<UploadDocument>(spec));
  }

  async insert(upload: UploadedPackage): Promise<void> {
    const { id, ...rest } = upload;
    await this.#collection.insertOne({ _id: id, ...rest });
  }

  /** Undefined where there is none, or none that has not expired. */
  async find(id: string, now: Date): Promise<UploadedPackage | undefined> {
    const found = await this.#collection.findOne({ _id: id });
    if (found === null || found.expiresAt <= now) return undefined;
    const { _id, committed: _, ...rest } = found;
    return { id: _id, ...rest };
  }

  /** How many of a user's have not become blobs and may still. */
  async countWaiting(userId: number, now: Date): Promise<number> {
    const waiting = { uploadedBy: userId, committed: { $exists: false }, expiresAt: { $gt: now } } as const;
    return await this.#collection.countDocuments(waiting);
  }

  async markCommitted(id: string): Promise<void> {
    await this.#collection.updateOne({ _id: id }, { $set: { committed: true } });
  }

  /** Those of the ids that are known, expired or not. */
  async known(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.#collection.find({ _id: { $in: ids } }, { limit: ids.length, fields: ["size"] });
    return new Set(found.map((upload) => upload._id));
  }

  async remove(id: string): Promise<boolean> {
    return (await this.#collection.deleteOne({ _id: id })) > 0;
  }

  /** Those that have expired, oldest first. */
  async expired(now: Date, limit: number): Promise<readonly Pick<UploadedPackage, "id" | "size">[]> {
    const found = await this.#collection.find(
      { expiresAt: { $lte: now } },
      { sort: [["expiresAt", 1]], limit, fields: ["size"] },
    );
    return found.map(({ _id, size }) => ({ id: _id, size }));
  }

  async countExpired(now: Date): Promise<number> {
    return await this.#collection.countDocuments({ expiresAt: { $lte: now } });
  }
}
