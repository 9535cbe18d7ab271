import { readUses, type Use } from "./usage.ts";

/** Some megabytes. */
const mostLines = 10_000;

/** Lines of the spool that the disk did not take: they go to analytics from memory, and end with the process. */
export class Unwritten {
  #lines: string[] = [];

  get size(): number {
    return this.#lines.length;
  }

  /** @returns how many there was no room for */
  keep(lines: readonly string[]): number {
    const room = mostLines - this.#lines.length;
    this.#lines.push(...lines.slice(0, room));
    return Math.max(0, lines.length - room);
  }

  /** Some at once; what was not taken stays. */
  async send(atOnce: number, send: (uses: readonly Use[]) => Promise<void>): Promise<void> {
    while (this.#lines.length > 0) {
      const some = this.#lines.slice(0, atOnce);
      await send(readUses(some.join("")).uses);
      this.#lines.splice(0, some.length);
    }
  }
}
