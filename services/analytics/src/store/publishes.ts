import type { Collection, Documents } from "@registry/documents";

export interface Publish {
  /** `plugin@version` */
  readonly _id: string;
  readonly plugin: string;
  readonly version: string;
  readonly publishedAt?: Date;
  readonly publishedBy?: string;
  /** Of the plugin, when the release last came or went; what is older changes nothing. */
  readonly revision?: number;
  /** A tombstone, so that a late event of its publication does not bring it back. */
  readonly deleted?: boolean;
}

type Shown = Required<Omit<Publish, "deleted">>;

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

  /** The release is seen from this revision on. */
  async show(publish: Shown): Promise<void> {
    const { _id, revision, publishedAt, publishedBy } = publish;
    const inserted = await this.#publishes.insertNew([publish]);
    if (inserted.length > 0) return;
    const older = { _id, deleted: { $exists: false }, revision: { $lt: revision } } as const;
    await this.#publishes.updateOne(older, { $set: { revision, publishedAt, publishedBy } });
  }

  /** The release is not seen from this revision on, until it is shown again. */
  async hide({ plugin, version, revision }: Pick<Shown, "plugin" | "version" | "revision">): Promise<void> {
    const _id = `${plugin}@${version}`;
    const inserted = await this.#publishes.insertNew([{ _id, plugin, version, revision }]);
    if (inserted.length > 0) return;
    const known = { $or: [{ revision: { $lt: revision } }, { revision: { $exists: false } }] } as const;
    const hidden = { $set: { revision }, $unset: { publishedAt: true } } as const;
    await this.#publishes.updateOne({ $and: [{ _id, deleted: { $exists: false } }, known] }, hidden);
  }

  async remove(plugin: string, version: string): Promise<void> {
    const _id = `${plugin}@${version}`;
    await this.#publishes.insertNew([{ _id, plugin, version, deleted: true }]);
    await this.#publishes.updateOne({ _id }, { $set: { deleted: true }, $unset: { publishedAt: true } });
  }

  /** Newest first, without the deleted and hidden ones. */
  newest(skip: number, limit: number): Promise<Publish[]> {
    const sort = [
      ["publishedAt", -1],
      ["_id", 1],
    ] as const;
    return this.#publishes.find({ publishedAt: { $gt: new Date(0) } }, { sort, skip, limit });
  }
}
