import type { Finding } from "../inspection.ts";
import { gravest } from "./gravest.ts";

const words = [
  ["python-os-system", "os.system"],
  ["python-subprocess", "subprocess.run"],
  ["python-exec", "exec("],
  ["python-eval", "eval("],
  ["python-import", "__import__"],
] as const;
/** Of one file; while it passes by, as many of each word are held. */
const MOST_FINDINGS = 20;
const LONGEST = Math.max(...words.map(([, word]) => word.length));

/**
 * Finds dangerous calls by their letters alone, in Python that is too long to be parsed and arrives in chunks. Holds a
 * few bytes. A string or a comment that speaks of such a call is found as well: what cannot be parsed gets no benefit.
 */
export class PythonWords {
  readonly #file: string;
  readonly #findings: Finding[] = [];
  readonly #counts = new Map<string, number>();
  readonly #lastLine = new Map<string, number>();
  /** Where `#tail` begins. */
  #line = 1;
  #tail = "";

  constructor(file: string) {
    this.#file = file;
  }

  push(chunk: Buffer): void {
    const text = this.#tail + chunk.toString("latin1");
    for (const [rule, word] of words) this.#search(text, rule, word);
    const kept = Math.min(text.length, LONGEST - 1);
    this.#line += newlinesIn(text, 0, text.length - kept);
    this.#tail = text.slice(text.length - kept);
  }

  end(): readonly Finding[] {
    return gravest(this.#findings, MOST_FINDINGS);
  }

  #search(text: string, rule: string, word: string): void {
    let line = this.#line;
    let from = 0;
    for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + word.length)) {
      if ((this.#counts.get(rule) ?? 0) >= MOST_FINDINGS) return;
      line += newlinesIn(text, from, at);
      from = at;
      this.#note(rule, word, line);
    }
  }

  /** Once for each line, also where the tail of a chunk is searched again with the next one. */
  #note(rule: string, word: string, line: number): void {
    if ((this.#lastLine.get(rule) ?? 0) >= line) return;
    this.#lastLine.set(rule, line);
    this.#counts.set(rule, (this.#counts.get(rule) ?? 0) + 1);
    const message = `Potentially dangerous code: ${word}; the file is too long to tell more, so split it or take the call out`;
    this.#findings.push({ rule, severity: "critical", message, file: this.#file, line });
  }
}

function newlinesIn(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", start); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
