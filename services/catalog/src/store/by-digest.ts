import type { Collection } from "@registry/documents";
import type { PluginName } from "@registry/domain";
import type { ReleaseDocument } from "../model/release.ts";

/** States in which a release refers to its bytes. */
const referring = ["staged", "published", "yanked", "quarantined"] as const;

/** What is known of bytes, under whatever name they were published. */
export class ReleasesByDigest {
  readonly #collection: Collection<ReleaseDocument>;

  constructor(collection: Collection<ReleaseDocument>) {
    this.#collection = collection;
  }

  /**
   * Whether these bytes were rejected or quarantined under any other name or version, or deleted from this very plugin.
   * What an owner deletes says nothing about the same bytes elsewhere.
   */
  async isBurnt(sha256: string, plugin: PluginName, _id: string): Promise<boolean> {
    const judged = [{ state: "quarantined" }, { state: "deleted", burnsBytes: true }, { state: "deleted", plugin }];
    const filter = { $and: [{ sha256, _id: { $ne: _id } }, { $or: judged }] } as const;
    return (await this.#collection.findOne(filter, { fields: ["state"] })) !== null;
  }

  /** Whether these bytes were rejected, under whatever name. */
  async isRejected(sha256: string): Promise<boolean> {
    const filter = { sha256, state: "deleted", burnsBytes: true } as const;
    return (await this.#collection.findOne(filter, { fields: ["state"] })) !== null;
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
      const releases = await this.#collection.find(filter, { fields: ["sha256"], limit: page });
      for (const release of releases) found.add(release.sha256);
      if (releases.length < page) break;
    }
    return [...found];
  }
}
