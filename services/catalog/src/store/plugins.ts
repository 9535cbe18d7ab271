import type { Event } from "@registry/bus";
import { outboxIndexes, pendingEvent } from "@registry/bus";
import type { DownloadTotal } from "@registry/contracts/events";
import {
  type Collection,
  type CollectionSpec,
  type Document,
  type Documents,
  DuplicateKeyError,
  type Update,
  type Value,
} from "@registry/documents";
import { orgRoleActions, orgRoles, type PluginName } from "@registry/domain";
import type { Need } from "../model/dependencies.ts";
import { nothingDescribed } from "../model/descriptive.ts";
import type { Ownership, PluginDocument } from "../model/plugin.ts";

const spec: CollectionSpec = {
  name: "plugins",
  indexes: [
    { name: "id", keys: [["id", 1]], unique: true },
    { name: "skeleton", keys: [["skeleton", 1]], unique: true },
    { name: "owner", keys: [["ownerId", 1]] },
    { name: "collaborators", keys: [["collaborators.id", 1]] },
    { name: "tags", keys: [["tags", 1]] },
    { name: "kind", keys: [["kind", 1]] },
    { name: "category", keys: [["category", 1]] },
    { name: "changed", keys: [["changedAt", 1]] },
    {
      name: "claims",
      keys: [
        ["published", 1],
        ["createdAt", 1],
      ],
    },
    { name: "deletions", keys: [["deletion.at", 1]] },
    ...outboxIndexes,
  ],
};

/** Everything but the outbox, which readers have no use for. */
const readFields: readonly string[] = [
  ...Object.keys(nothingDescribed),
  ...[
    "id",
    "skeleton",
    "ownerId",
    "owner",
    "org",
    "team",
    "collaborators",
    "visibility",
    "verified",
    "overrides",
    "pins",
    "downloads",
    "published",
  ],
  ...["deletion", "gone", "deprecation", "createdAt", "updatedAt", "changedAt"],
  ...["revision", "sequence", "stamp", "countings"],
  ...["latest", "channels", "listed", "tombstones", "needs"],
];

interface Counter extends Document {
  readonly value: number;
}

/** What a change of a plugin writes; `events` tell of it in the same write. */
export interface PluginChange {
  /** What is undefined stays as it is. */
  readonly set: Partial<PluginDocument>;
  readonly unset: readonly string[];
  readonly event?: Event;
}

export type PluginStamp = Pick<PluginDocument, "_id" | "stamp" | "changedAt">;
const stampFields = ["stamp", "changedAt"] as const;

/** The plugin documents. Every visible write compares stamp and sequence first, so none overwrites another unseen. */
export class PluginStore {
  readonly collection: Collection<PluginDocument>;
  readonly #counters: Collection<Counter>;
  readonly #now: () => Date;

  private constructor(collection: Collection<PluginDocument>, counters: Collection<Counter>, now: () => Date) {
    this.collection = collection;
    this.#counters = counters;
    this.#now = now;
  }

  static async open(documents: Documents, now: () => Date): Promise<PluginStore> {
    const counters = await documents.collection<Counter>({ name: "counters", indexes: [] });
    return new PluginStore(await documents.collection<PluginDocument>(spec), counters, now);
  }

  get(name: PluginName): Promise<PluginDocument | null> {
    return this.collection.findOne({ _id: name }, { fields: readFields });
  }

  /**
   * As `get`, for whoever may not know what there is: a name that nobody has takes as long as one that somebody has, since
   * the next one in order is read for it.
   */
  async getEvenly(name: PluginName): Promise<PluginDocument | null> {
    const options = { sort: [["_id", 1]] as const, limit: 1, fields: readFields };
    const [found] = await this.collection.find({ _id: { $gte: name } }, options);
    return found?._id === name ? found : null;
  }

  bySkeleton(skeleton: string): Promise<PluginDocument | null> {
    return this.collection.findOne({ skeleton }, { fields: readFields });
  }

  /** Whether an owner gave this user a role by which something may be published. */
  async hasPublisher(userId: number): Promise<boolean> {
    const roles = orgRoles.filter((role) => orgRoleActions[role].includes("publish"));
    const filter = { "collaborators.id": userId, collaborators: { $elemMatch: { id: userId, role: { $in: roles } } } };
    return (await this.collection.findOne(filter, { fields: ["revision"] })) !== null;
  }

  async nextId(): Promise<number> {
    const take = () =>
      this.#counters.findOneAndUpdate(
        { _id: "plugins" },
        { $inc: { value: 1 } },
        { upsert: true, returnDocument: "after" },
      );
    const counter = await take().catch((error: unknown) => {
      // Two that begin the counter at once may meet; the second time it is there.
      if (error instanceof DuplicateKeyError) return take();
      throw error;
    });
    return counter?.value ?? 1;
  }

  /** Readers are to look at the plugin's releases anew; nothing else of it changed. */
  async stamp(name: PluginName): Promise<void> {
    await this.collection.updateOne({ _id: name }, { $set: { changedAt: this.#now() }, $inc: { stamp: 1 } });
  }

  /**
   * Takes a revision for a change of a release that is not visible yet.
   * @param owner only if the name still belongs to that owner
   * @returns the plugin with its new `sequence`, or null
   */
  reserve(name: PluginName, owner?: Ownership): Promise<PluginDocument | null> {
    const filter = owner === undefined ? { _id: name } : { _id: name, ownerId: owner.ownerId, owner: owner.owner };
    return this.collection.findOneAndUpdate(filter, { $inc: { sequence: 1 } }, { returnDocument: "after" });
  }

  /** @returns the plugin as it is now, or null if another write came first */
  async swap(before: PluginDocument, revision: number, change: PluginChange): Promise<PluginDocument | null> {
    const sequence = Math.max(before.sequence, revision);
    const update: Update = {
      $set: { ...defined(change.set), revision, sequence, changedAt: this.#now() },
      $inc: { stamp: 1 },
      ...(change.unset.length === 0 ? {} : { $unset: Object.fromEntries(change.unset.map((path) => [path, true])) }),
      ...(change.event === undefined ? {} : { $push: { "outbox.pending": pendingEvent(change.event) } }),
    };
    const { _id, stamp } = before;
    return this.collection.findOneAndUpdate({ _id, stamp, sequence: before.sequence }, update, {
      returnDocument: "after",
    });
  }

  /** Drops a claim whose sequence is still the one seen. */
  drop(claim: PluginDocument): Promise<number> {
    return this.collection.deleteOne({ _id: claim._id, published: false, sequence: claim.sequence });
  }

  /** Also where the total is known already: releases of a plugin of very many are told in parts, under one total. */
  async countDownloads(totals: readonly DownloadTotal[]): Promise<void> {
    const changedAt = this.#now();
    await this.collection.updateEach(
      totals.map(({ plugin, downloads }) => ({
        filter: { _id: plugin, downloads: { $lte: downloads } },
        update: { $max: { downloads }, $set: { changedAt }, $inc: { stamp: 1, countings: 1 } },
      })),
    );
  }

  /**
   * Adds what earlier versions of the registry did not write down. No change that anybody was to be told of.
   * @returns false if another write came first
   */
  async addNeeds({ _id, stamp }: PluginDocument, needs: readonly Need[]): Promise<boolean> {
    const result = await this.collection.updateOne(
      { _id, stamp },
      { $set: { needs, changedAt: this.#now() }, $inc: { stamp: 1 } },
    );
    return result.matchedCount > 0;
  }

  /** By name, for loading everything in pages. */
  page(after: string, limit: number): Promise<PluginDocument[]> {
    return this.collection.find({ _id: { $gt: after } }, { sort: [["_id", 1]], limit, fields: readFields });
  }

  /** As `page`, of those that have changed since. */
  changedSince(since: Date, after: string, limit: number): Promise<PluginDocument[]> {
    const filter = { changedAt: { $gte: since }, _id: { $gt: after } };
    return this.collection.find(filter, { sort: [["_id", 1]], limit, fields: readFields });
  }

  some(names: readonly string[]): Promise<PluginDocument[]> {
    return this.collection.find({ _id: { $in: names } }, { limit: names.length, fields: readFields });
  }

  stamps(after: string, limit: number): Promise<PluginStamp[]> {
    return this.collection.find({ _id: { $gt: after } }, { sort: [["_id", 1]], limit, fields: stampFields });
  }

  stampsSince(since: Date, skip: number, limit: number): Promise<PluginStamp[]> {
    const options = { sort: [["changedAt", 1]] as const, skip, limit, fields: stampFields };
    return this.collection.find({ changedAt: { $gte: since } }, options);
  }

  /** Oldest first. */
  claimsBetween(from: Date, time: Date, limit: number): Promise<PluginDocument[]> {
    const filter = { published: false, createdAt: { $gte: from, $lt: time } };
    return this.collection.find(filter, { sort: [["createdAt", 1]], limit, fields: readFields });
  }

  deletionsBefore(time: Date, limit: number): Promise<PluginDocument[]> {
    return this.collection.find({ "deletion.at": { $lt: time } }, { limit, fields: readFields });
  }
}

function defined(set: Partial<PluginDocument>): { [path: string]: Value } {
  const given = Object.entries(set).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [path: string]: Value };
}
