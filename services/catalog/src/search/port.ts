/** What is searched of a plugin. */
export interface TextDocument {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly author: string;
  readonly capabilities: readonly string[];
}

/**
 * A text index, behind which a search server can take the place of the one in memory.
 *
 * Words match whole, by their beginning, and with small typing errors; words are told apart regardless of case and
 * accents. A plugin that holds every word of the query comes first; only if there is none, one word is enough.
 */
export interface TextIndex {
  /** Adds a plugin, or replaces it. */
  put(document: TextDocument): void;
  remove(name: string): void;
  /**
   * Names with a score, higher is better, in no order.
   * @param query any text
   */
  find(query: string, words: "every" | "any"): ReadonlyMap<string, number>;
}
