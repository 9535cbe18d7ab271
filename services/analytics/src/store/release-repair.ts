import type { Collection, Condition, Documents, Scalar } from "@registry/documents";
import type { Plugin } from "./plugins.ts";
import type { Publish } from "./publishes.ts";

interface Activity {
  readonly _id: number;
  readonly lastAt: Date;
}

/** What analytics knows of plugins, releases and users, as a rebuild sets it right: only where nobody wrote meanwhile. */
export class ReleaseRepair {
  readonly #plugins: Collection<Plugin>;
  readonly #publishes: Collection<Publish>;
  readonly #activities: Collection<Activity>;

  private constructor(plugins: Collection<Plugin>, publishes: Collection<Publish>, activities: Collection<Activity>) {
    this.#plugins = plugins;
    this.#publishes = publishes;
    this.#activities = activities;
  }

  static async open(documents: Documents): Promise<ReleaseRepair> {
    return new ReleaseRepair(
      await documents.collection<Plugin>({ name: "plugins", indexes: [] }),
      await documents.collection<Publish>({ name: "publishes", indexes: [] }),
      await documents.collection<Activity>({ name: "activities", indexes: [] }),
    );
  }

  plugins(names: readonly string[]): Promise<Plugin[]> {
    return this.#plugins.find({ _id: { $in: names } });
  }

  /** Of one plugin. No name goes on behind an `@` that is not its first character. */
  publishes(plugin: string): Promise<Publish[]> {
    return this.#publishes.find({ _id: { $gt: `${plugin}@`, $lt: `${plugin}A` } });
  }

  async pluginNames(after: string, limit: number): Promise<string[]> {
    const found = await this.#plugins.find(
      { _id: { $gt: after } },
      { sort: [["_id", 1]], limit, fields: ["revision"] },
    );
    return found.map(({ _id }) => _id);
  }

  publishPage(after: string, limit: number): Promise<Publish[]> {
    return this.#publishes.find({ _id: { $gt: after } }, { sort: [["_id", 1]], limit, fields: ["plugin"] });
  }

  /** @returns whether it was written */
  async swapPlugin(seen: Plugin | undefined, wanted: Plugin | undefined): Promise<boolean> {
    if (seen === undefined) return wanted !== undefined && (await this.#plugins.insertNew([wanted])).length > 0;
    const { _id, visibility, revision } = seen;
    const before = { _id, visibility, revision };
    if (wanted === undefined) return (await this.#plugins.deleteOne(before)) > 0;
    return (await this.#plugins.replaceOne(before, wanted)).matchedCount > 0;
  }

  async swapPublish(seen: Publish | undefined, wanted: Publish | undefined): Promise<boolean> {
    if (seen === undefined) return wanted !== undefined && (await this.#publishes.insertNew([wanted])).length > 0;
    const { _id, revision, publishedAt, deleted } = seen;
    const before = { _id, revision: as(revision), publishedAt: as(publishedAt), deleted: as(deleted) };
    if (wanted === undefined) return (await this.#publishes.deleteOne(before)) > 0;
    return (await this.#publishes.replaceOne(before, wanted)).matchedCount > 0;
  }

  async lastUses(userIds: readonly number[]): Promise<Map<number, Date>> {
    const found = userIds.length === 0 ? [] : await this.#activities.find({ _id: { $in: userIds } });
    return new Map(found.map(({ _id, lastAt }) => [_id, lastAt]));
  }
}

const as = <T extends Scalar>(value: T | undefined): T | Condition => value ?? { $exists: false };
