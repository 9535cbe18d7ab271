/** A list in parts of at most so many items, in order; none of an empty list. */
export function* partsOf<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
