import type { Release } from "@registry/contracts/catalog";
import { type PluginDocument, stampBesideCounts } from "./model/plugin.ts";
import { type ReleaseHead, releaseId } from "./model/release.ts";
import { byAge } from "./model/resolve.ts";
import type { ReleaseStore } from "./store/releases.ts";
import { toFullRelease, toRelease } from "./wire.ts";

/** Releases that details show. */
export const mostShown = 100;
const mostFull = 4;
const headWeight = 500;

/** The releases of one plugin as they were at one stamp. */
export interface Book {
  readonly stamp: number;
  readonly stampBesideCounts: number;
  /** All of them. */
  readonly heads: readonly ReleaseHead[];
  /** Version to basic view: the newest hundred that anybody may see. */
  readonly basics: ReadonlyMap<string, Release>;
}

interface Kept extends Book {
  readonly full: Map<string, Release>;
  weight: number;
}

/** Releases that were read lately, by plugin and stamp, within a bound of memory. */
export class Books {
  readonly #releases: ReleaseStore;
  readonly #mostWeight: number;
  readonly #kept = new Map<string, Kept>();
  readonly #loading = new Map<string, Promise<Kept>>();
  #weight = 0;

  /** @param mostWeight about as many bytes */
  constructor(releases: ReleaseStore, mostWeight: number) {
    this.#releases = releases;
    this.#mostWeight = mostWeight;
  }

  /** At least as new as the plugin document given. */
  async of(plugin: PluginDocument): Promise<Book> {
    return this.#book(plugin);
  }

  /** As `of`, but its counts of downloads may be older: a plugin in steady use would be read anew for each call. */
  async besideCounts(plugin: PluginDocument): Promise<Book> {
    const kept = this.#kept.get(plugin._id);
    return kept !== undefined && kept.stampBesideCounts >= stampBesideCounts(plugin)
      ? this.#used(plugin._id, kept)
      : this.#book(plugin);
  }

  /** The full view of one release, or undefined if it was deleted meanwhile. */
  async full(plugin: PluginDocument, version: string): Promise<Release | undefined> {
    const book = await this.#book(plugin);
    const known = book.full.get(version);
    if (known !== undefined) return known;
    const release = await this.#releases.full(releaseId(plugin._id, version));
    if (release === null || release.state === "deleted") return undefined;
    const full = toFullRelease(release);
    if (book.full.size < mostFull) {
      book.full.set(version, full);
      const weight = (full.readme?.length ?? 0) + (full.changelog?.length ?? 0) + full.files.length * 300;
      if (this.#kept.get(plugin._id) === book) this.#grow(book, weight + full.manifestJson.length);
    }
    return full;
  }

  async #book(plugin: PluginDocument): Promise<Kept> {
    const name = plugin._id;
    const kept = this.#kept.get(name);
    if (kept !== undefined && kept.stamp >= plugin.stamp) return this.#used(name, kept);
    const key = `${plugin.stamp} ${name}`;
    const loading = this.#loading.get(key) ?? this.#load(plugin).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  /** The least recently used go first. */
  #used(name: string, kept: Kept): Kept {
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    return kept;
  }

  async #load(plugin: PluginDocument): Promise<Kept> {
    const heads = await this.#releases.heads(plugin._id);
    const shown = byAge(heads.filter((head) => head.state !== "deleted" && head.state !== "abandoned"));
    const basics = await this.#releases.basics(shown.slice(0, mostShown).map((head) => head._id));
    const book: Kept = {
      stamp: plugin.stamp,
      stampBesideCounts: stampBesideCounts(plugin),
      heads,
      basics: new Map(basics.map((release) => [release.version, toRelease(release)])),
      full: new Map(),
      weight: 0,
    };
    // What happens to a staged release does not show on the plugin, by which a book that is kept is known to be true.
    if (heads.some((head) => head.state === "staged")) return book;
    const old = this.#kept.get(plugin._id);
    if (old !== undefined && old.stamp > book.stamp) return book;
    this.#drop(plugin._id);
    this.#kept.set(plugin._id, book);
    const manifests = basics.reduce((sum, release) => sum + (release.manifestJson?.length ?? 0), 0);
    this.#grow(book, manifests + (heads.length + basics.length) * headWeight);
    return book;
  }

  #grow(book: Kept, weight: number): void {
    book.weight += weight;
    this.#weight += weight;
    for (const name of this.#kept.keys()) {
      if (this.#weight <= this.#mostWeight) break;
      this.#drop(name);
    }
  }

  #drop(name: string): void {
    this.#weight -= this.#kept.get(name)?.weight ?? 0;
    this.#kept.delete(name);
  }
}
