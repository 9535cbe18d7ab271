import MiniSearch from "minisearch";
import type { TextDocument, TextIndex } from "./port.ts";

/** More words than this add cost, not precision. */
const mostWords = 8;
/** Two letters begin a great many words, so that is looked for in short queries only. */
const fewWords = 2;

const fields = ["name", "compact", "title", "tags", "author", "capabilities", "description"];
const boost = { name: 6, compact: 4, title: 4, tags: 3, capabilities: 2, author: 1.5, description: 1 };

function fold(word: string): string {
  return word.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function words(query: string): string[] {
  const found = query.split(/[\s\p{P}\p{S}\p{C}]+/u).map(fold);
  return [...new Set(found.filter((word) => word !== ""))].slice(0, mostWords);
}

/** In memory, per replica. */
export function createTextIndex(): TextIndex {
  const index = new MiniSearch<Record<string, string>>({
    idField: "id",
    fields,
    tokenize: (text) => text.split(/[\s\p{P}\p{S}\p{C}]+/u),
    processTerm: (term) => fold(term) || null,
    searchOptions: {
      boost,
      tokenize: words,
      prefix: (word, _, all) => word.length > 2 || (word.length === 2 && all.length <= fewWords),
      fuzzy: (word) => (word.length < 4 ? false : word.length < 8 ? 1 : 2),
      weights: { prefix: 0.5, fuzzy: 0.2 },
    },
  });
  return {
    put(document) {
      const row = toRow(document);
      if (index.has(document.name)) index.replace(row);
      else index.add(row);
    },
    remove(name) {
      if (index.has(name)) index.discard(name);
    },
    find(query, which) {
      const results = index.search(query, { combineWith: which === "every" ? "AND" : "OR" });
      return new Map(results.map((result) => [String(result.id), result.score]));
    },
  };
}

function toRow(document: TextDocument): Record<string, string> {
  const { name, title, description, tags, author, capabilities } = document;
  return {
    id: name,
    name,
    // For those who leave the hyphen out.
    compact: name.replace(/[^a-z0-9]/g, ""),
    title,
    description,
    tags: tags.join(" "),
    author,
    capabilities: capabilities.join(" "),
  };
}
