/** Tells the line of an offset; asked in rising order it walks the text once, whatever the number of questions. */
export class LineCounter {
  readonly #text: string;
  #offset = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** Counted from 1. */
  at(offset: number): number {
    if (offset < this.#offset) {
      this.#offset = 0;
      this.#line = 1;
    }
    let next = this.#text.indexOf("\n", this.#offset);
    while (next !== -1 && next < offset) {
      this.#line++;
      this.#offset = next + 1;
      next = this.#text.indexOf("\n", this.#offset);
    }
    return this.#line;
  }
}
