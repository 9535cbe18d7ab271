import type { Collection, CollectionSpec, Document, Documents } from "@registry/documents";
import type { Digest } from "@registry/domain";

interface ContentDocument extends Document {
  _id: Digest;
  paths: readonly string[];
}

const spec: CollectionSpec = { name: "contents", indexes: [] };

/** Which files a blob holds: apart from its record, which every download reads. */
export class Contents {
  readonly #collection: Collection<ContentDocument>;

  private constructor(collection: Collection<ContentDocument>) {
    this.#collection = collection;
  }

  static async open(documents: Documents): Promise<Contents> {
    return new Contents(await documents.collection<ContentDocument>(spec));
  }

  async put(digest: Digest, paths: readonly string[]): Promise<void> {
    await this.#collection.updateOne({ _id: digest }, { $setOnInsert: { paths } }, { upsert: true });
  }

  /** Undefined where it is not known what the blob holds. */
  async holds(digest: Digest, path: string): Promise<boolean | undefined> {
    const found = await this.#collection.findOne({ _id: digest });
    return found?.paths.includes(path);
  }

  async remove(digest: Digest): Promise<void> {
    await this.#collection.deleteOne({ _id: digest });
  }
}
