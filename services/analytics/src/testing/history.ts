import fc from "fast-check";
import { download, gateway, type Replica, search, type World } from "./harness.ts";
import type { StandInCatalog } from "./neighbours.ts";

const hourMs = 3_600_000;

export interface HistorySetting {
  readonly world: Pick<World, "publish">;
  readonly catalog: StandInCatalog;
  readonly replica: Replica;
}

const plugins = ["a", "@acme/b", "c"] as const;
const versions = ["1.0.0", "2.0.0-rc.1"] as const;
const pluginArbitrary = fc.constantFrom(...plugins);
const ago = fc.integer({ min: 0, max: 7 * 24 });
/** What happens to plugins, and what is used. */
export const deed = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("download" as const),
      plugin: pluginArbitrary,
      version: fc.constantFrom(...versions),
      ago,
      userId: fc.integer({ min: 0, max: 3 }),
      client: fc.constantFrom("rest", "npm"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("search" as const),
      query: fc.constantFrom("x", "weather | tool"),
      ago,
      found: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("publish" as const, "quarantine" as const, "delete" as const),
      plugin: pluginArbitrary,
      version: fc.constantFrom(...versions),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("hide" as const),
      plugin: pluginArbitrary,
      visibility: fc.constantFrom("public", "private"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), plugin: pluginArbitrary }) },
);
export type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

/** A catalog's life, as its state and as the events that tell of it; and what is used meanwhile. */
export class History {
  readonly #setting: HistorySetting;
  readonly #now: number;
  #revision = 0;
  #count = 0;

  constructor(of: HistorySetting) {
    this.#setting = of;
    this.#now = of.replica.surroundings.clock.now().getTime();
  }

  async do(what: Deed): Promise<void> {
    const { replica } = this.#setting;
    this.#count += 1;
    if (what.kind === "download") {
      const { plugin, version, client, userId } = what;
      const time = new Date(this.#now - what.ago * hourMs);
      const downloads = [download(`d${this.#count}`, plugin, version, { time, client, userId })];
      await replica.analytics.recordUsage({ downloads }, gateway);
    } else if (what.kind === "search") {
      const more = { time: new Date(this.#now - what.ago * hourMs), resultsCount: what.found ? 2 : 0 };
      await replica.analytics.recordUsage({ searches: [search(`s${this.#count}`, what.query, more)] }, gateway);
    } else await this.#change(what);
  }

  async #change(what: Exclude<Deed, { kind: "download" | "search" }>): Promise<void> {
    const { world, catalog } = this.#setting;
    const name = what.plugin;
    const plugin = catalog.plugins.get(name) ?? { name, visibility: "public", revision: 0, releases: new Map() };
    const release = "version" in what ? plugin.releases.get(what.version) : undefined;
    this.#revision += 1;
    const revision = this.#revision;
    if (what.kind === "publish" && release === undefined) {
      const publishedAt = new Date(this.#now - 1000 * revision);
      const { version } = what;
      const shown = {
        version,
        shown: true,
        deleted: false,
        publishedAt,
        publishedBy: "olga",
        publishedById: 11,
        revision,
      };
      const visibility = ["hidden", "deleted"].includes(plugin.visibility) ? "public" : plugin.visibility;
      catalog.plugins.set(name, { ...plugin, visibility, revision, releases: plugin.releases.set(version, shown) });
      const told = { plugin: name, version, visibility, revision, publishedBy: "olga", publishedById: 11, publishedAt };
      return world.publish("registry.catalog.release.published", { ...told, sha256: "", size: 1, kind: "tool" });
    }
    if (what.kind === "hide" && ["public", "private"].includes(plugin.visibility) && plugin.releases.size > 0) {
      const { visibility } = what;
      catalog.plugins.set(name, { ...plugin, visibility, revision });
      return world.publish("registry.catalog.plugin.updated", { plugin: name, visibility, updatedBy: "o", revision });
    }
    if (what.kind === "remove" && plugin.releases.size > 0) {
      for (const each of plugin.releases.values()) await this.#end(plugin, each.version, "delete");
      catalog.plugins.set(name, { ...plugin, visibility: "deleted", revision: ++this.#revision });
      const told = { plugin: name, deletedBy: "o", revision: this.#revision };
      return world.publish("registry.catalog.plugin.deleted", told);
    }
    if ((what.kind === "quarantine" || what.kind === "delete") && release?.shown === true) {
      await this.#end(plugin, what.version, what.kind);
      if ([...plugin.releases.values()].some(({ shown }) => shown)) return;
      catalog.plugins.set(name, { ...plugin, visibility: "hidden", revision: ++this.#revision });
      const told = { plugin: name, visibility: "hidden", updatedBy: "", revision: this.#revision };
      return world.publish("registry.catalog.plugin.updated", told);
    }
  }

  async #end(plugin: { name: string; releases: Map<string, object> }, version: string, how: "quarantine" | "delete") {
    const revision = ++this.#revision;
    const release = { ...plugin.releases.get(version), shown: false, deleted: how === "delete", revision };
    plugin.releases.set(version, release as never);
    const told = { plugin: plugin.name, version, revision };
    if (how === "delete") {
      await this.#setting.world.publish("registry.catalog.release.deleted", { ...told, sha256: "", deletedBy: "o" });
    } else await this.#setting.world.publish("registry.catalog.release.quarantined", { ...told, quarantinedBy: "o" });
  }
}
