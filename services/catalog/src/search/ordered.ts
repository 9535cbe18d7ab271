/** A list that is always in order, for a total order; changes cost a binary search and a move of references. */
export class Ordered<T> {
  readonly #compare: (a: T, b: T) => number;
  #items: T[] = [];

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    this.#items.splice(this.#place(item), 0, item);
  }

  /** The very item that was added. */
  remove(item: T): void {
    const at = this.#place(item);
    if (this.#items[at] === item) this.#items.splice(at, 1);
  }

  /** Where the first item stands that does not come before this one. */
  #place(item: T): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#items[middle];
      if (other !== undefined && this.#compare(other, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
