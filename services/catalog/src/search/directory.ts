import type { Plugin } from "@registry/contracts/catalog";
import { type Caller, unavailable } from "@registry/domain";
import { maySee } from "../model/access.ts";
import type { Need } from "../model/dependencies.ts";
import type { PluginDocument } from "../model/plugin.ts";
import { toPlugin } from "../wire.ts";
import { Dependents } from "./dependents.ts";
import { Ordered } from "./ordered.ts";
import type { TextDocument, TextIndex } from "./port.ts";

export type SortBy = "relevance" | "downloads" | "updated" | "created" | "name";

/** A listed plugin as answers need it, so that no list reads the store. */
export interface Entry {
  readonly document: PluginDocument;
  readonly wire: Plugin;
  /** Everybody sees it. Beside the rest, so that a walk over all entries touches little memory. */
  readonly isPublic: boolean;
  /** Lower case, as the next three. */
  readonly tags: readonly string[];
  readonly kind: string;
  readonly category: string;
  readonly owner: string;
}

export interface Query {
  readonly text: string;
  /** All of them; lower case, as the next three. Empty means any. */
  readonly tags: readonly string[];
  /** Any of them. */
  readonly kinds: readonly string[];
  readonly category: string;
  readonly owner: string;
  readonly sort: SortBy;
  readonly limit: number;
  readonly offset: number;
}

const byName = (a: Entry, b: Entry): number => (a.wire.name < b.wire.name ? -1 : a.wire.name > b.wire.name ? 1 : 0);
const descending =
  (key: (entry: Entry) => number) =>
  (a: Entry, b: Entry): number =>
    key(b) - key(a) || byName(a, b);

/** Every listed plugin, in memory, in each order that lists come in. What a caller may see is decided at answer time. */
export class Directory {
  readonly #text: TextIndex;
  readonly #entries = new Map<string, Entry>();
  readonly #notPublic = new Set<Entry>();
  readonly #dependents = new Dependents();
  readonly #stamps = new Map<string, number>();
  readonly #orders = {
    name: new Ordered<Entry>(byName),
    downloads: new Ordered<Entry>(descending((entry) => entry.wire.downloads)),
    updated: new Ordered<Entry>(descending((entry) => entry.document.updatedAt.getTime())),
    created: new Ordered<Entry>(descending((entry) => entry.document.createdAt.getTime())),
  };
  #loaded = false;

  constructor(text: TextIndex) {
    this.#text = text;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  /** The store was read to its end once; from here on answers are complete. */
  markLoaded(): void {
    this.#loaded = true;
  }

  /** The stamp that is known of a plugin; -1 for none. */
  stampOf(name: string): number {
    return this.#stamps.get(name) ?? -1;
  }

  /** The revision of a listed plugin; -1 for none. */
  revisionOf(name: string): number {
    return this.#entries.get(name)?.document.revision ?? -1;
  }

  /** @returns what was not known before: nothing, no more than that there were downloads, or anything */
  put(document: PluginDocument): "nothing" | "downloads" | "anything" {
    if (this.stampOf(document._id) >= document.stamp) return "nothing";
    this.#stamps.set(document._id, document.stamp);
    const before = this.#entries.get(document._id);
    if (before !== undefined) this.#forget(before);
    if (!document.published || document.listed === 0) {
      this.#entries.delete(document._id);
      this.#text.remove(document._id);
      return "anything";
    }
    const entry = toEntry(document);
    this.#dependents.add(entry.document);
    this.#entries.set(document._id, entry);
    if (!entry.isPublic) this.#notPublic.add(entry);
    for (const order of Object.values(this.#orders)) order.add(entry);
    const text = textOf(document);
    if (before === undefined || !sameText(textOf(before.document), text)) this.#text.put(text);
    const { revision, downloads } = before?.document ?? { revision: -1, downloads: 0 };
    return revision === document.revision && downloads < document.downloads ? "downloads" : "anything";
  }

  #forget(entry: Entry): void {
    this.#notPublic.delete(entry);
    this.#dependents.remove(entry.document);
    for (const order of Object.values(this.#orders)) order.remove(entry);
  }

  count(caller: Caller): number {
    this.#assertLoaded();
    let count = this.#entries.size - this.#notPublic.size;
    for (const entry of this.#notPublic) if (isSeen(caller, entry)) count += 1;
    return count;
  }

  /**
   * Plugins with at least so many downloads, most first, whoever may see them.
   * @param downloads 0 for none of them
   */
  mostDownloaded(downloads: number, limit: number): readonly Entry[] {
    if (downloads === 0) return [];
    this.#assertLoaded();
    const { items } = this.#orders.downloads;
    const end = items.findIndex((entry) => entry.wire.downloads < downloads);
    return items.slice(0, Math.min(limit, end < 0 ? items.length : end));
  }

  /** Listed plugins that need one, as far as the caller sees them, by name. */
  dependentsOf(name: string, caller: Caller): { readonly plugin: PluginDocument; readonly need: Need }[] {
    this.#assertLoaded();
    return this.#dependents.of(name).filter(({ plugin }) => maySee(caller, plugin));
  }

  /** By name, after a name; and when the newest change of all that the caller sees was. */
  list(caller: Caller, after: string, size: number): { page: Entry[]; more: boolean; updatedAt: Date | undefined } {
    this.#assertLoaded();
    const page: Entry[] = [];
    let more = false;
    for (const entry of this.#orders.name.items) {
      if (entry.wire.name <= after || !isSeen(caller, entry)) continue;
      more = page.length === size;
      if (more) break;
      page.push(entry);
    }
    const newest = this.#orders.updated.items.find((entry) => isSeen(caller, entry));
    return { page, more, updatedAt: newest?.document.updatedAt };
  }

  /** One page and the exact number of all matches. */
  search(caller: Caller, query: Query): { page: Entry[]; total: number } {
    this.#assertLoaded();
    const end = query.offset + query.limit;
    if (query.text.trim() !== "") {
      const found = this.#byText(caller, query);
      return { page: found.slice(query.offset, end), total: found.length };
    }
    const order = this.#orders[query.sort === "relevance" ? "downloads" : query.sort];
    const narrows = isNarrow(query);
    const page: Entry[] = [];
    let total = 0;
    for (const entry of order.items) {
      if (!isSeen(caller, entry) || (narrows && !matches(entry, query))) continue;
      if (total >= query.offset && total < end) page.push(entry);
      total += 1;
      // How many there are is known without walking on.
      if (!narrows && total === end) return { page, total: this.count(caller) };
    }
    return { page, total };
  }

  #byText(caller: Caller, query: Query): readonly Entry[] {
    const fits = (entry: Entry): boolean => isSeen(caller, entry) && matches(entry, query);
    const every = this.#scored(query, "every", fits);
    return every.length > 0 ? every : this.#scored(query, "any", fits);
  }

  #scored(query: Query, words: "every" | "any", fits: (entry: Entry) => boolean): readonly Entry[] {
    const scores = this.#text.find(query.text, words);
    if (query.sort !== "relevance") {
      return this.#orders[query.sort].items.filter((entry) => scores.has(entry.wire.name) && fits(entry));
    }
    const exact = query.text.trim().toLowerCase();
    const score = (entry: Entry): number =>
      entry.wire.name === exact ? Number.MAX_VALUE : (scores.get(entry.wire.name) ?? 0);
    const found = [...scores.keys()].flatMap((name) => this.#entries.get(name) ?? []).filter(fits);
    return found.sort((a, b) => score(b) - score(a) || b.wire.downloads - a.wire.downloads || byName(a, b));
  }

  #assertLoaded(): void {
    if (!this.#loaded) throw unavailable("The list of plugins");
  }
}

function toEntry(document: PluginDocument): Entry {
  const { outbox: _, ...read } = document;
  return {
    document: read,
    wire: toPlugin(document),
    isPublic: document.visibility === "public",
    tags: document.tags.map((tag) => tag.toLowerCase()),
    kind: document.kind.toLowerCase(),
    category: document.category.toLowerCase(),
    owner: document.owner.toLowerCase(),
  };
}

function isSeen(caller: Caller, entry: Entry): boolean {
  return entry.isPublic || maySee(caller, entry.document);
}

function isNarrow(query: Query): boolean {
  return query.tags.length + query.kinds.length > 0 || query.category !== "" || query.owner !== "";
}

function matches(entry: Entry, query: Query): boolean {
  return (
    (query.kinds.length === 0 || query.kinds.includes(entry.kind)) &&
    (query.category === "" || query.category === entry.category) &&
    (query.owner === "" || query.owner === entry.owner) &&
    query.tags.every((tag) => entry.tags.includes(tag))
  );
}

function textOf(plugin: PluginDocument): TextDocument {
  const { _id: name, title, description, tags, author, capabilities } = plugin;
  return { name, title, description, tags, author: author.name, capabilities };
}

function sameText(a: TextDocument, b: TextDocument): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
