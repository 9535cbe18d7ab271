import type { SourceFile } from "@registry/archive";
import { sizeText } from "./text.ts";

interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const quietMs = 1000;
const everyMs = 250;

/** One line on a terminal that tells what is being done once it takes longer than a second; nothing elsewhere. */
export class Progress {
  readonly #terminal: Terminal;
  readonly #begun = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #text: () => string = () => "";
  #width = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#timer = terminal.isTTY === true ? setInterval(() => this.#show(), everyMs) : undefined;
    this.#timer?.unref();
  }

  tell(text: string): void {
    this.#text = () => text;
  }

  /** The same files; reading them is told. */
  watch(files: readonly SourceFile[]): readonly SourceFile[] {
    const total = files.reduce((sum, { size }) => sum + size, 0);
    // Some files are read twice.
    let done = 0;
    this.#text = () => `packing ${sizeText(Math.min(done, total))} of ${sizeText(total)}`;
    return files.map((file) => ({
      ...file,
      read: async function* () {
        for await (const chunk of file.read()) {
          done += chunk.length;
          yield chunk;
        }
      },
    }));
  }

  /** Takes the line away. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#width > 0) this.#terminal.write(`\r${" ".repeat(this.#width)}\r`);
    this.#width = 0;
  }

  #show(): void {
    if (performance.now() - this.#begun < quietMs) return;
    const text = this.#text();
    this.#terminal.write(`\r${text.padEnd(this.#width)}`);
    this.#width = Math.max(this.#width, text.length);
  }
}
