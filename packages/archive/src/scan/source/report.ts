import type { Severity } from "@registry/domain";
import type { Finding } from "../../inspection.ts";
import { gravest } from "../gravest.ts";
import { gravity, type SourceRule, sourceRules } from "./rules.ts";

const MOST_FINDINGS = 20;
/** Held while scanning: enough for the gravest 20 to be among them in every honest file. */
const MOST_HELD = 2000;
const LONGEST_NAME = 80;

/** Collects the findings of one file: one for each rule and line, its gravest. */
export class Report {
  readonly #file: string;
  readonly #found = new Map<string, Finding>();
  readonly #held = new Map<string, number>();
  readonly #lineStarts: number[] = [0];

  constructor(file: string, text: string) {
    this.#file = file;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lineStarts.push(at + 1);
  }

  /** Adds a finding at an offset of the text. `severity` replaces the rule's own. */
  add(rule: SourceRule, offset: number, what: string, severity?: Severity): void {
    const line = this.#lineOf(offset);
    const { severity: usual, advice } = sourceRules[rule];
    const weight = severity ?? usual;
    const key = `${rule}:${line}`;
    const before = this.#found.get(key);
    if (before !== undefined && gravity[before.severity] <= gravity[weight]) return;
    const kind = `${rule}:${weight}`;
    const count = this.#held.get(kind) ?? 0;
    if (count >= MOST_HELD) return;
    this.#held.set(kind, count + 1);
    const message = `${printable(what)}: ${advice}`;
    this.#found.set(key, { rule, severity: weight, message, file: this.#file, line });
  }

  /** Forgets what was added: the next round of a scan knows more names. */
  clear(): void {
    this.#found.clear();
    this.#held.clear();
  }

  /** The gravest first, and at least one of each rule and severity. */
  findings(): readonly Finding[] {
    const order = (a: Finding, b: Finding) =>
      gravity[a.severity] - gravity[b.severity] || (a.line ?? 0) - (b.line ?? 0);
    return gravest([...this.#found.values()].sort(order), MOST_FINDINGS);
  }

  #lineOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}

function printable(what: string): string {
  const clean = what.replace(/[^\x20-\x7e]+/g, " ");
  return clean.length > LONGEST_NAME ? `${clean.slice(0, LONGEST_NAME)}...` : clean;
}
