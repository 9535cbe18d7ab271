import type { Collection, Documents } from "@registry/documents";

export interface Publish {
  /** `plugin@version` */
  readonly _id: string;
  readonly plugin: string;
  readonly version: string;
  readonly publishedAt?: Date;
  readonly publishedBy?: string;
  /** A tombstone, so that a late event of its publication does not bring it back. */
  readonly deleted?: boolean;
}

/** Which releases were published when, by whom. */
export class Publishes {
  readonly #publishes: Collection<Publish>;

  private constructor(publishes: Collection<Publish>) {
    this.#publishes = publishes;
  }

  static async open(documents: Documents): Promise<Publishes> {
    const indexes = [{ name: "published_at", keys: [["publishedAt", -1]] as const }];
    return new Publishes(await documents.collection<Publish>({ name: "publishes", indexes }));
  }

  async add(publish: Publish): Promise<void> {
    await this.#publishes.insertNew([publish]);
  }

  async remove(plugin: string, version: string): Promise<void> {
    const _id = `${plugin}@${version}`;
    await this.#publishes.insertNew([{ _id, plugin, version, deleted: true }]);
    await this.#publishes.updateOne({ _id }, { $set: { deleted: true }, $unset: { publishedAt: true } });
  }

  /** Newest first, without the deleted ones. */
  newest(skip: number, limit: number): Promise<Publish[]> {
    const sort = [
      ["publishedAt", -1],
      ["_id", 1],
    ] as const;
    return this.#publishes.find({ publishedAt: { $gt: new Date(0) } }, { sort, skip, limit });
  }
}
