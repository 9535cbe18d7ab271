import type { Collection, Documents } from "@registry/documents";

/** What analytics knows of a plugin, from events. */
export interface Plugin {
  readonly _id: string;
  /** public, internal, private, hidden or deleted. */
  readonly visibility: string;
  readonly revision: number;
}

/** Names whose plugins everybody may see, and the rest. */
export class Plugins {
  readonly #plugins: Collection<Plugin>;

  private constructor(plugins: Collection<Plugin>) {
    this.#plugins = plugins;
  }

  static async open(documents: Documents): Promise<Plugins> {
    const indexes = [{ name: "visibility", keys: [["visibility", 1]] as const }];
    return new Plugins(await documents.collection<Plugin>({ name: "plugins", indexes }));
  }

  /** An older revision than the one known changes nothing. */
  async put(plugin: Plugin): Promise<void> {
    const { _id, visibility, revision } = plugin;
    const renew = () =>
      this.#plugins.updateOne({ _id, revision: { $lt: revision } }, { $set: { visibility, revision } });
    if ((await renew()).matchedCount > 0) return;
    const inserted = await this.#plugins.insertNew([plugin]);
    // Somebody may have inserted an older one in between.
    if (inserted.length === 0) await renew();
  }

  countPublic(): Promise<number> {
    return this.#plugins.countDocuments({ visibility: "public" });
  }

  async publicNames(): Promise<Set<string>> {
    const found = await this.#plugins.find({ visibility: "public" }, { fields: ["revision"] });
    return new Set(found.map(({ _id }) => _id));
  }

  /** Those among the names that may be shown: public ones, or all that exist. */
  async shownAmong(names: readonly string[], all: boolean): Promise<Set<string>> {
    const found = await this.#plugins.find({ _id: { $in: names } }, { fields: ["visibility"] });
    const shown = found.filter(({ visibility }) => (all ? visibility !== "deleted" : visibility === "public"));
    return new Set(shown.map(({ _id }) => _id));
  }
}
