import type { AuditEntry } from "@registry/contracts/audit";
import { genesisHash, hashOf } from "./chain.ts";
import type { Head } from "./head.ts";

/** A head that was found to be signed by the registry, or that the registry says now. */
export interface CheckedHead extends Pick<Head, "sequence" | "hash" | "time"> {
  /** Where it comes from, for people. */
  readonly source: string;
}

export interface Problem {
  readonly kind: "changed" | "missing" | "order" | "cut" | "replaced";
  /** Of the first row that it is about. */
  readonly sequence: number;
  readonly message: string;
}

export interface Verdict {
  /** Rows that were read. */
  readonly rows: number;
  /** Of the last row; 0 and zeros for an empty log. */
  readonly end: { readonly sequence: number; readonly hash: string };
  /** Heads that the rows agree with. */
  readonly heads: number;
  /** The first hundred. */
  readonly problems: readonly Problem[];
  readonly problemCount: number;
}

const mostTold = 100;

/**
 * Holds a log against its own hashes and against signed heads, row by row from the first. Each row is judged by itself
 * and by the row before it, so that one that was changed does not make all that follow it look changed.
 */
export class ChainVerifier {
  readonly #heads = new Map<number, CheckedHead[]>();
  readonly #problems: Problem[] = [];
  #problemCount = 0;
  #rows = 0;
  #agreeing = 0;
  /** Up to here a head agrees, so this much is as it was when that head was signed. */
  #sure = 0;
  #end = { sequence: 0, hash: genesisHash };

  constructor(heads: readonly CheckedHead[]) {
    for (const head of heads) {
      const same = this.#heads.get(head.sequence);
      if (same === undefined) this.#heads.set(head.sequence, [head]);
      else same.push(head);
    }
    this.#compare(this.#end);
  }

  /** Rows come in order of their sequence. */
  add(row: AuditEntry): void {
    this.#rows += 1;
    const { sequence } = row;
    const expected = this.#end.sequence + 1;
    if (sequence < expected) {
      this.#tell("order", sequence, `row ${sequence} comes after row ${this.#end.sequence}`);
      return;
    }
    if (sequence > expected) this.#tellMissing(expected, sequence - 1);
    if (row.hash !== hashOf(row)) {
      this.#tell("changed", sequence, `row ${sequence} was changed: its hash is not that of what it says`);
    }
    if (sequence === expected && row.previousHash !== this.#end.hash) {
      const before = sequence === 1 ? "it does not begin the log" : `it was written after another row ${sequence - 1}`;
      this.#tell("changed", sequence, `row ${sequence} does not follow: ${before}`);
    }
    this.#end = { sequence, hash: row.hash };
    this.#compare(this.#end);
  }

  /** To be called once all rows were added. */
  verdict(): Verdict {
    this.#tellCut();
    return {
      rows: this.#rows,
      end: this.#end,
      heads: this.#agreeing,
      problems: this.#problems,
      problemCount: this.#problemCount,
    };
  }

  #compare({ sequence, hash }: { sequence: number; hash: string }): void {
    for (const head of this.#heads.get(sequence) ?? []) {
      if (head.hash === hash) {
        this.#agreeing += 1;
        this.#sure = sequence;
        continue;
      }
      const between = `a row after ${this.#sure} and up to ${sequence} was replaced and the rest chained anew`;
      this.#tell("replaced", sequence, `row ${sequence} is not the one that ${nameOf(head)} says: ${between}`);
    }
  }

  #tellMissing(from: number, to: number): void {
    const which = from === to ? `row ${from} is missing` : `rows ${from} to ${to} are missing`;
    this.#tell("missing", from, which);
    for (const [sequence, heads] of this.#heads) {
      if (sequence < from || sequence > to) continue;
      for (const head of heads)
        this.#tell("missing", sequence, `row ${sequence} is missing, which ${nameOf(head)} says`);
    }
  }

  #tellCut(): void {
    const last = this.#end.sequence;
    const beyond = [...this.#heads.values()].flat().filter(({ sequence }) => sequence > last);
    if (beyond.length === 0) return;
    const furthest = beyond.reduce((far, head) => (head.sequence > far.sequence ? head : far));
    const ends = last === 0 ? "the log is empty" : `the log ends at ${last}`;
    const rows = furthest.sequence === 1 ? "1 row" : `${furthest.sequence} rows`;
    this.#tell("cut", last + 1, `the tail was cut off: ${nameOf(furthest)} says ${rows}, ${ends}`);
  }

  #tell(kind: Problem["kind"], sequence: number, message: string): void {
    this.#problemCount += 1;
    if (this.#problems.length < mostTold) this.#problems.push({ kind, sequence, message });
  }
}

function nameOf({ time, source }: CheckedHead): string {
  return `the head of ${time.toISOString()} (${source})`;
}
