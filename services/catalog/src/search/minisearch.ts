import MiniSearch, { type Query } from "minisearch";
import type { TextDocument, TextIndex } from "./port.ts";

/** More words than this add cost, not precision. */
const mostWords = 8;
/** Two letters begin a great many words, so that is looked for in short queries only. */
const fewWords = 2;

const fields = ["name", "compact", "title", "tags", "author", "capabilities", "description"];
const boost = { name: 6, compact: 4, title: 4, tags: 3, capabilities: 2, author: 1.5, description: 1 };

/** What a match of a misspelt word counts beside one of the word itself. */
const misspelt = 0.2;
const boostMisspelt = Object.fromEntries(Object.entries(boost).map(([field, weight]) => [field, weight * misspelt]));
/** Longer words are found within two edits, which is what two letters in the wrong order are. */
const longestToSwap = 7;

function fold(word: string): string {
  return word.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function words(query: string): string[] {
  const found = query.split(/[\s\p{P}\p{S}\p{C}]+/u).map(fold);
  return [...new Set(found.filter((word) => word !== ""))].slice(0, mostWords);
}

/** Two neighbouring letters in the wrong order are the commonest slip, and two edits to a fuzzy match. */
function swaps(word: string): string[] {
  if (word.length < 4 || word.length > longestToSwap) return [];
  const swapped = Array.from({ length: word.length - 1 }, (_, i) =>
    [word.slice(0, i), word[i + 1], word[i], word.slice(i + 2)].join(""),
  );
  return [...new Set(swapped)].filter((other) => other !== word);
}

function wordQuery(word: string, all: readonly string[]): Query {
  const prefix = word.length > 2 || (word.length === 2 && all.length <= fewWords);
  const slips = { queries: swaps(word), combineWith: "OR", fuzzy: false, prefix: false, boost: boostMisspelt } as const;
  return { combineWith: "OR", prefix, queries: slips.queries.length === 0 ? [word] : [word, slips] };
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
      // Each query is one word by now.
      tokenize: (word) => [word],
      fuzzy: (word) => (word.length < 4 ? false : word.length < 8 ? 1 : 2),
      weights: { prefix: 0.5, fuzzy: misspelt },
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
      const combineWith = which === "every" ? "AND" : "OR";
      const results = index.search({ combineWith, queries: words(query).map((word, _, all) => wordQuery(word, all)) });
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
