import { type Event, outboxIndexes, pendingEvent } from "@registry/bus";
import type { DownloadTotal } from "@registry/contracts/events";
import { type Collection, type CollectionSpec, type Documents, DuplicateKeyError } from "@registry/documents";
import { assertMove, type PluginName } from "@registry/domain";
import { partsOf } from "@registry/kit";
import { headFields, type ReleaseDocument, type ReleaseHead, releaseId, type Waiting } from "../model/release.ts";
import { ReleasesByDigest } from "./by-digest.ts";
import { ReleaseDependencies } from "./dependencies.ts";
import { basicFields, defined, fullFields } from "./release-fields.ts";
import { type Seen, WaitingReleases } from "./waiting.ts";

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
    {
      name: "waiting",
      keys: [
        ["waiting", 1],
        ["waitingSince", 1],
      ],
    },
    ...outboxIndexes,
  ],
};

/** What everybody may read of a release; without its files, readme and the like. */
export type BasicRelease = ReleaseHead & Pick<ReleaseDocument, "manifestJson">;
/** A change of a release that the plugin is to follow. */
export interface Move {
  readonly set: Partial<ReleaseDocument> & Required<Pick<ReleaseDocument, "revision">>;
  readonly unset?: readonly (keyof ReleaseDocument)[];
  readonly event?: Event | undefined;
}

/** How a release ended. */
export interface Burial {
  readonly by: string;
  readonly reason: string;
  readonly revision?: number | undefined;
  readonly at: Date;
  readonly review?: ReleaseDocument["review"];
  readonly burnsBytes?: boolean;
}

/** A release as it was seen by whoever ends it. */
export type Burying = Seen & Pick<ReleaseHead, "state" | "waiting">;

/** Others' writes go between. */
const countedAtOnce = 100;

/** What a tombstone no longer has. */
const buried = {
  content: true,
  manifestJson: true,
  described: true,
  dependencies: true,
  waiting: true,
  waitingSince: true,
  testLog: true,
  quarantinedFrom: true,
} as const;

/** The release documents. Each change of state is one write that compares the state before. */
export class ReleaseStore {
  readonly collection: Collection<ReleaseDocument>;
  readonly waiting: WaitingReleases;
  readonly byDigest: ReleasesByDigest;
  readonly dependencies: ReleaseDependencies;
  readonly #limit: number;

  private constructor(collection: Collection<ReleaseDocument>, limit: number) {
    this.collection = collection;
    this.waiting = new WaitingReleases(collection);
    this.byDigest = new ReleasesByDigest(collection);
    this.dependencies = new ReleaseDependencies(collection, limit * 2);
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
    const settled = { $or: [{ state: "published" }, { state: "staged", waiting: { $exists: true } }] } as const;
    return this.collection.findOne({ $and: [{ uploadId }, settled] }, { fields: fullFields });
  }

  /** All releases of a plugin, tombstones included. */
  heads(plugin: PluginName): Promise<ReleaseHead[]> {
    // A few above the limit may come into being when many publish at once.
    return this.collection.find({ plugin }, { fields: headFields, limit: this.#limit * 2 });
  }

  /** Those of these ids that are there. */
  some(ids: readonly string[]): Promise<ReleaseHead[]> {
    return this.collection.find({ _id: { $in: ids } }, { fields: headFields, limit: ids.length });
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

  /** @returns false if the release is no longer staged with these bytes, or waits for something else */
  async promote(
    { _id, sha256 }: Seen,
    waiting: Waiting | undefined,
    published: Required<Pick<ReleaseDocument, "publishedAt" | "revision">> & Partial<ReleaseDocument>,
    event: Event,
  ): Promise<boolean> {
    const result = await this.collection.updateOne(
      { _id, state: "staged", sha256, waiting: waiting ?? { $exists: false } },
      {
        $set: {
          ...defined(published),
          state: "published",
          channelRevision: published.revision,
          projectSince: published.publishedAt,
        },
        $unset: { waiting: true, waitingSince: true },
        $push: { "outbox.pending": pendingEvent(event) },
      },
    );
    return result.matchedCount > 0;
  }

  /**
   * Changes a release in the state in which it was seen.
   * @returns false if it is in another state by now
   */
  async move(seen: Seen & Pick<ReleaseHead, "state">, { set, unset = [], event }: Move, at: Date): Promise<boolean> {
    const { _id, sha256, state } = seen;
    const result = await this.collection.updateOne(
      { _id, sha256, state },
      {
        $set: { ...defined(set), projectSince: at },
        ...(unset.length === 0 ? {} : { $unset: Object.fromEntries(unset.map((field) => [field, true as const])) }),
        ...(event === undefined ? {} : { $push: { "outbox.pending": pendingEvent(event) } }),
      },
    );
    return result.matchedCount > 0;
  }

  /** Takes back what one upload staged. */
  dropStaged(id: string, uploadId: string): Promise<number> {
    return this.collection.deleteOne({ _id: id, uploadId, state: "staged" });
  }

  /** @returns false if it moved on, waits for something else, or was staged anew, since it was read */
  async abandon({ _id, stagedAt, waiting }: Pick<ReleaseDocument, "_id" | "stagedAt" | "waiting">): Promise<boolean> {
    const result = await this.collection.updateOne(
      { _id, state: "staged", stagedAt, waiting: waiting ?? { $exists: false } },
      { $set: { state: "abandoned" }, $unset: { waiting: true, waitingSince: true } },
    );
    return result.matchedCount > 0;
  }

  /**
   * Leaves a tombstone.
   * @param revision absent for what was never published: the plugin does not change by its end
   * @returns false if the release is not as it was seen
   */
  async bury(seen: Burying, burial: Burial, event: Event | undefined): Promise<boolean> {
    assertMove(seen.state, "deleted");
    const { _id, sha256, state, waiting } = seen;
    const { by, reason, revision, at, review, burnsBytes } = burial;
    const told = revision === undefined ? {} : { revision, projectSince: at };
    const set = defined({ deletedBy: by, reason, review, burnsBytes, ...told });
    const result = await this.collection.updateOne(
      { _id, sha256, state, waiting: waiting ?? { $exists: false } },
      {
        $set: { ...set, state: "deleted" },
        $unset: buried,
        ...(event === undefined ? {} : { $push: { "outbox.pending": pendingEvent(event) } }),
      },
    );
    return result.matchedCount > 0;
  }

  /** The plugin follows this release as it was read. */
  async followed(head: ReleaseHead): Promise<void> {
    const seen = { _id: head._id, revision: head.revision };
    await this.collection.updateOne(seen, { $unset: { projectSince: true, channel: true, channelRevision: true } });
  }

  async countDownloads(totals: readonly DownloadTotal[]): Promise<void> {
    const changes = totals.flatMap(({ plugin, versions }) =>
      Object.entries(versions).map(([version, downloads]) => ({
        filter: { _id: releaseId(plugin, version), downloads: { $lt: downloads } },
        update: { $max: { downloads } },
      })),
    );
    for (const some of partsOf(changes, countedAtOnce)) await this.collection.updateEach(some);
  }

  stagedBefore(time: Date, limit: number): Promise<ReleaseDocument[]> {
    const filter = { state: "staged", stagedAt: { $lt: time }, waiting: { $exists: false } };
    return this.collection.find(filter, { limit, fields: [...headFields, "stagedAt", "uploadId"] });
  }

  unprojectedBefore(time: Date, limit: number): Promise<ReleaseHead[]> {
    return this.collection.find({ projectSince: { $lt: time } }, { limit, fields: headFields });
  }

  forgetAbandonedBefore(time: Date): Promise<number> {
    return this.collection.deleteMany({ state: "abandoned", stagedAt: { $lt: time } });
  }
}
