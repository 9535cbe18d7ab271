import type { Collection } from "@registry/documents";
import type { PluginName } from "@registry/domain";
import type { Dependency, Needing } from "../model/dependencies.ts";
import type { ReleaseDocument } from "../model/release.ts";

/** What releases need. Beside their heads, which are kept in memory. */
export class ReleaseDependencies {
  readonly #collection: Collection<ReleaseDocument>;
  readonly #limit: number;

  /** @param limit bounds every read of one plugin's releases */
  constructor(collection: Collection<ReleaseDocument>, limit: number) {
    this.#collection = collection;
    this.#limit = limit;
  }

  of(plugin: PluginName): Promise<(Needing & Pick<ReleaseDocument, "_id">)[]> {
    return this.#collection.find({ plugin }, { fields: ["version", "state", "dependencies"], limit: this.#limit });
  }

  /** Those of which it was never written down. */
  missing(plugin: PluginName, limit: number): Promise<Pick<ReleaseDocument, "_id" | "format" | "manifestJson">[]> {
    const filter = { plugin, dependencies: { $exists: false } };
    return this.#collection.find(filter, { fields: ["format", "manifestJson"], limit });
  }

  async fill(id: string, dependencies: readonly Dependency[]): Promise<void> {
    await this.#collection.updateOne({ _id: id, dependencies: { $exists: false } }, { $set: { dependencies } });
  }
}
