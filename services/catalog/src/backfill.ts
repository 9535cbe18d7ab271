import type { PluginName } from "@registry/domain";
import type { Logger } from "@registry/kit";
import { dependenciesOfManifest, needsOf } from "./model/dependencies.ts";
import type { PluginDocument } from "./model/plugin.ts";
import { untilWritten } from "./retry.ts";
import type { PluginStore } from "./store/plugins.ts";
import type { ReleaseStore } from "./store/releases.ts";

export interface BackfillDeps {
  readonly plugins: PluginStore;
  readonly releases: ReleaseStore;
  readonly log: Logger;
  readonly learned: (plugin: PluginDocument) => void;
}

const readAtOnce = 50;
const retryMs = 30_000;

/**
 * Adds what plugins need to documents that an earlier version of the registry wrote, one after another, as they are read
 * for the first time. Every replica may do it: each write changes only what is not there yet.
 */
export class Backfill {
  readonly #deps: BackfillDeps;
  readonly #names = new Set<PluginName>();
  #running: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(deps: BackfillDeps) {
    this.#deps = deps;
  }

  /** To be told of every plugin that is read. */
  seen(plugin: PluginDocument): void {
    if (plugin.needs !== undefined || !plugin.published || this.#closed) return;
    this.#names.add(plugin._id);
    if (this.#retry === undefined) this.#run();
  }

  #run(): void {
    this.#running ??= this.#all()
      .catch((error: unknown) => {
        if (this.#closed) return;
        this.#deps.log.warn({ err: error }, "dependencies not added yet, tried again");
        this.#retry = setTimeout(() => {
          this.#retry = undefined;
          this.#run();
        }, retryMs);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #all(): Promise<void> {
    for (const name of this.#names) {
      if (this.#closed) return;
      await this.#fill(name);
      this.#names.delete(name);
    }
  }

  async #fill(name: PluginName): Promise<void> {
    const { plugins, releases, learned } = this.#deps;
    for (;;) {
      const some = await releases.dependencies.missing(name, readAtOnce);
      for (const { _id, format, manifestJson = "" } of some) {
        await releases.dependencies.fill(_id, dependenciesOfManifest(format, manifestJson));
      }
      if (some.length < readAtOnce) break;
    }
    const written = await untilWritten(async () => {
      const plugin = await plugins.get(name);
      if (plugin === null || plugin.needs !== undefined) return { plugin };
      const needs = needsOf(plugin.latest, await releases.dependencies.of(name));
      return (await plugins.addNeeds(plugin, needs))
        ? { plugin: { ...plugin, needs, stamp: plugin.stamp + 1 } }
        : undefined;
    });
    if (written.plugin !== null) learned(written.plugin);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#running;
  }
}
