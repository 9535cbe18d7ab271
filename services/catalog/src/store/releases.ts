import { type Event, outboxIndexes, pendingEvent } from "@registry/bus";
import { type Collection, type CollectionSpec, type Documents, DuplicateKeyError } from "@registry/documents";
import { movesInto, type PluginName } from "@registry/domain";
import { headFields, type ReleaseDocument, type ReleaseHead, releaseId } from "../model/release.ts";

const spec: CollectionSpec = {
  name: "releases",
  indexes: [
    { name: "plugin", keys: [["plugin", 1]] },
    { name: "digest", keys: [["sha256", 1]] },
    { name: "upload", keys: [["uploadId", 1]] },
    {
      name: "staged",
      keys: [
        ["state", 1],
        ["stagedAt", 1],
      ],
    },
    { name: "unprojected", keys: [["projectSince", 1]] },
    ...outboxIndexes,
  ],
};

/** What everybody may read of a release; without its files, readme and the like. */
export type BasicRelease = ReleaseHead & Pick<ReleaseDocument, "manifestJson">;
const basicFields = [...headFields, "manifestJson"];
const fullFields = [...basicFields, "content", "described", "publishedById", "uploadId", "stagedAt", "deletedBy"];

/** States in which a release refers to its bytes. */
const referring = ["staged", "published", "yanked", "quarantined"] as const;

/** The release documents. Each change of state is one write that compares the state before. */
export class ReleaseStore {
  readonly collection: Collection<ReleaseDocument>;
  readonly #limit: number;

  private constructor(collection: Collection<ReleaseDocument>, limit: number) {
    this.collection = collection;
    this.#limit = limit;
  }

  /** @param mostPerPlugin bounds every read of one plugin's releases */
  static async open(documents: Documents, mostPerPlugin: number): Promise<ReleaseStore> {
    return new ReleaseStore(await documents.collection<ReleaseDocument>(spec), mostPerPlugin);
  }

  head(id: string): Promise<(ReleaseHead & Pick<ReleaseDocument, "stagedAt" | "uploadId">) | null> {
    return this.collection.findOne({ _id: id }, { fields: [...headFields, "stagedAt", "uploadId"] });
  }

  full(id: string): Promise<ReleaseDocument | null> {
    return this.collection.findOne({ _id: id }, { fields: fullFields });
  }

  byUpload(uploadId: string): Promise<ReleaseDocument | null> {
    return this.collection.findOne({ uploadId, state: "published" }, { fields: fullFields });
  }

  /** All releases of a plugin, tombstones included. */
  heads(plugin: PluginName): Promise<ReleaseHead[]> {
    // A few above the limit may come into being when many publish at once.
    return this.collection.find({ plugin }, { fields: headFields, limit: this.#limit * 2 });
  }

  basics(ids: readonly string[]): Promise<BasicRelease[]> {
    return this.collection.find({ _id: { $in: ids } }, { fields: basicFields, limit: ids.length });
  }

  count(plugin: PluginName): Promise<number> {
    return this.collection.countDocuments({ plugin });
  }

  async hasActive(plugin: PluginName): Promise<boolean> {
    return (await this.collection.findOne({ plugin, state: { $ne: "abandoned" } }, { fields: ["state"] })) !== null;
  }

  /** @returns false if a release of that name and version is there in another state than `abandoned` */
  async stage(release: ReleaseDocument): Promise<boolean> {
    try {
      await this.collection.insertOne(release);
      return true;
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
    const result = await this.collection.replaceOne({ _id: release._id, state: "abandoned" }, release);
    return result.matchedCount > 0;
  }

  /** @returns false if the release is no longer staged with these bytes */
  async promote(
    staged: Pick<ReleaseHead, "_id" | "sha256">,
    published: Required<Pick<ReleaseDocument, "publishedAt" | "publishedBy" | "publishedById" | "revision">>,
    event: Event,
  ): Promise<boolean> {
    const result = await this.collection.updateOne(
      { _id: staged._id, state: "staged", sha256: staged.sha256 },
      {
        $set: { ...published, state: "published", projectSince: published.publishedAt },
        $push: { "outbox.pending": pendingEvent(event) },
      },
    );
    return result.matchedCount > 0;
  }

  /** Takes back what one upload staged. */
  dropStaged(id: string, uploadId: string): Promise<number> {
    return this.collection.deleteOne({ _id: id, uploadId, state: "staged" });
  }

  /** @returns false if it moved on, or was staged anew, since it was read */
  async abandon(id: string, stagedAt: Date): Promise<boolean> {
    const result = await this.collection.updateOne(
      { _id: id, state: "staged", stagedAt },
      { $set: { state: "abandoned" } },
    );
    return result.matchedCount > 0;
  }

  /** Leaves a tombstone. @returns false if it is one already */
  async bury(
    id: string,
    deletion: { readonly by: string; readonly reason: string; readonly revision: number; readonly at: Date },
    event: Event,
  ): Promise<boolean> {
    const { by, reason, revision, at } = deletion;
    const result = await this.collection.updateOne(
      { _id: id, state: { $in: movesInto("deleted") } },
      {
        $set: { state: "deleted", deletedBy: by, reason, revision, projectSince: at },
        $unset: { content: true, manifestJson: true, described: true },
        $push: { "outbox.pending": pendingEvent(event) },
      },
    );
    return result.matchedCount > 0;
  }

  /** The plugin follows this release as it was read. */
  async followed(head: ReleaseHead): Promise<void> {
    await this.collection.updateOne({ _id: head._id, revision: head.revision }, { $unset: { projectSince: true } });
  }

  /** @returns false if no less was counted already */
  async countDownloads(plugin: string, version: string, total: number): Promise<boolean> {
    const _id = releaseId(plugin, version);
    const result = await this.collection.updateOne({ _id, downloads: { $lt: total } }, { $max: { downloads: total } });
    return result.matchedCount > 0;
  }

  /** Which of the digests releases refer to. */
  async referenced(digests: readonly string[]): Promise<string[]> {
    const found = new Set<string>();
    const page = 2000;
    // Each round but the last finds at least one more digest, so there are at most as many rounds as digests.
    for (;;) {
      const open = digests.filter((digest) => !found.has(digest));
      if (open.length === 0) break;
      const filter = { sha256: { $in: open }, state: { $in: referring } };
      const releases = await this.collection.find(filter, { fields: ["sha256"], limit: page });
      for (const release of releases) found.add(release.sha256);
      if (releases.length < page) break;
    }
    return [...found];
  }

  stagedBefore(time: Date, limit: number): Promise<ReleaseDocument[]> {
    const filter = { state: "staged", stagedAt: { $lt: time } };
    return this.collection.find(filter, { limit, fields: [...headFields, "stagedAt", "uploadId"] });
  }

  unprojectedBefore(time: Date, limit: number): Promise<ReleaseHead[]> {
    return this.collection.find({ projectSince: { $lt: time } }, { limit, fields: headFields });
  }

  forgetAbandonedBefore(time: Date): Promise<number> {
    return this.collection.deleteMany({ state: "abandoned", stagedAt: { $lt: time } });
  }
}
