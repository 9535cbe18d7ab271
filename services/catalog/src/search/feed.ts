import type { Bus, Event, Subscription } from "@registry/bus";
import { unavailable } from "@registry/domain";
import { type Clock, type Logger, partsOf } from "@registry/kit";
import type { PluginDocument } from "../model/plugin.ts";
import type { PluginStamp, PluginStore } from "../store/plugins.ts";
import type { Rebuilding } from "./live-directory.ts";

export interface FeedDeps {
  readonly plugins: PluginStore;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stampOf: (name: string) => number;
  readonly revisionOf: (name: string) => number;
  readonly learned: (plugin: PluginDocument) => void;
  readonly loaded: () => void;
  readonly rebuild: () => Rebuilding;
}

/** What came of building everything anew. */
export interface Rebuilt {
  /** Plugins that had not been known as the store has them. */
  readonly mended: number;
  /** Plugins looked at. */
  readonly plugins: number;
}

const pageSize = 500;
const readAtOnce = 200;
const everyMs = 1500;
/** Clocks of replicas may differ by as much before the slow round through all names has to find a change. */
const overlapMs = 10_000;
const mostPages = 40;

/**
 * Keeps this replica's directory true: reads everything once, then what events tell of, and, since events may be lost,
 * every moment what was written lately and a part of all names.
 */
export class Feed {
  readonly #deps: FeedDeps;
  readonly #asked = new Set<string>();
  #tap: Subscription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #open = true;
  #loadedAll = false;
  #since: Date | undefined;
  #roundAfter = "";
  #failing = false;

  constructor(deps: FeedDeps) {
    this.#deps = deps;
  }

  /** Tries to load everything; where the store is away, goes on trying. */
  async start(): Promise<void> {
    this.#tap = await this.#deps.bus.tap(["registry.catalog.>"], (event) => this.#heard(event));
    await this.#work(() => this.#catchUp());
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#timer);
    await this.#tap?.close();
    await this.#working;
  }

  /** Reads plugins anew, now; for a caller that knows of a change which this replica may not have heard of yet. */
  async reread(names: readonly string[]): Promise<void> {
    await this.#read(names);
  }

  /**
   * Builds the directory anew from the store, while the one that is there answers; changes meanwhile go into both.
   * @param mended told of each name that had been known wrongly
   * @throws kind `unavailable` where the store, or the first load, is away
   */
  async rebuild(mended: (name: string) => void): Promise<Rebuilt> {
    if (!this.#loadedAll) throw unavailable("The list of plugins");
    const rebuilding = this.#deps.rebuild();
    let plugins = 0;
    try {
      for await (const page of this.#pages()) {
        for (const plugin of page) {
          this.#deps.learned(plugin);
          rebuilding.check(plugin._id);
        }
        plugins += page.length;
      }
      if (!this.#open) throw unavailable("The catalog");
    } catch (error) {
      rebuilding.cancel();
      throw error;
    }
    const wrong = rebuilding.finish();
    for (const name of wrong) mended(name);
    return { mended: wrong.length, plugins };
  }

  async *#pages(): AsyncGenerator<PluginDocument[]> {
    for (let after = ""; this.#open; ) {
      const page = await this.#deps.plugins.page(after, pageSize);
      yield page;
      after = page.at(-1)?._id ?? "";
      if (page.length < pageSize) return;
    }
  }

  #heard(event: Event): void {
    const { revision } = event.data as { readonly revision?: unknown };
    if (this.#deps.revisionOf(event.about) >= Number(revision)) return;
    this.#asked.add(event.about);
    // Everything that one burst tells of is read at once.
    if (this.#asked.size === 1) setImmediate(() => void this.#work(() => this.#readAsked()));
  }

  #schedule(): void {
    if (!this.#open) return;
    this.#timer = setTimeout(() => void this.#work(() => this.#catchUp()).then(() => this.#schedule()), everyMs);
  }

  /** One piece of work at a time. */
  async #work(piece: () => Promise<void>): Promise<void> {
    while (this.#working !== undefined) await this.#working;
    if (!this.#open) return;
    this.#working = piece()
      .then(() => {
        this.#failing = false;
      })
      .catch((error: unknown) => {
        if (!this.#failing) this.#deps.log.warn({ err: error }, "plugins not read, tried again");
        this.#failing = true;
      });
    await this.#working;
    this.#working = undefined;
  }

  async #catchUp(): Promise<void> {
    if (!this.#loadedAll) await this.#load();
    await this.#readAsked();
    await this.#readRecent();
    await this.#readNextPart();
  }

  async #readAsked(): Promise<void> {
    const names = [...this.#asked];
    this.#asked.clear();
    await this.#read(names);
  }

  async #load(): Promise<void> {
    const since = this.#deps.clock.now();
    for await (const page of this.#pages()) for (const plugin of page) this.#deps.learned(plugin);
    this.#since = since;
    this.#loadedAll = true;
    this.#deps.loaded();
  }

  async #readRecent(): Promise<void> {
    const since = new Date((this.#since?.getTime() ?? 0) - overlapMs);
    for (let page = 0; page < mostPages; page++) {
      const found = await this.#deps.plugins.stampsSince(since, page * pageSize, pageSize);
      await this.#readNewer(found);
      const last = found.at(-1)?.changedAt;
      if (last !== undefined && last > (this.#since ?? last)) this.#since = last;
      if (found.length < pageSize) break;
    }
  }

  async #readNextPart(): Promise<void> {
    const part = await this.#deps.plugins.stamps(this.#roundAfter, readAtOnce);
    await this.#readNewer(part);
    this.#roundAfter = part.length < readAtOnce ? "" : String(part.at(-1)?._id ?? "");
  }

  async #readNewer(found: readonly PluginStamp[]): Promise<void> {
    await this.#read(found.filter(({ _id, stamp }) => stamp > this.#deps.stampOf(_id)).map(({ _id }) => _id));
  }

  async #read(names: readonly string[]): Promise<void> {
    for (const some of partsOf(names, readAtOnce)) {
      const plugins = await this.#deps.plugins.some(some);
      for (const plugin of plugins) this.#deps.learned(plugin);
    }
  }
}
