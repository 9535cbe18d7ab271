import type { Format } from "@registry/domain";
import type { Finding } from "../inspection.ts";
import { gravest } from "./gravest.ts";
import { weighed } from "./trade.ts";

/** Findings of one package that are kept. */
export const MOST_FINDINGS = 200;

/** Gathers the findings of a package in their order, and never holds many more than are kept. */
export class FindingCollector {
  #kept: readonly Finding[] = [];
  #cut = 0;
  readonly #format: Format;

  constructor(format: Format) {
    this.#format = format;
  }

  add(findings: readonly Finding[]): void {
    this.#kept = [...this.#kept, ...findings.map((finding) => weighed(finding, this.#format))];
    if (this.#kept.length > 4 * MOST_FINDINGS) this.#reduce(2 * MOST_FINDINGS);
  }

  /** In the order in which they were added; with `findings-cut` at the end where some were left out. */
  result(): readonly Finding[] {
    this.#kept = withoutDecoded(this.#kept);
    if (this.#kept.length + Math.sign(this.#cut) > MOST_FINDINGS) this.#reduce(MOST_FINDINGS - 1);
    if (this.#cut === 0) return this.#kept;
    const message = `${this.#cut} more findings were left out, none graver than those that are listed`;
    return [...this.#kept, { rule: "findings-cut", severity: "info", message }];
  }

  #reduce(most: number): void {
    const kept = gravest(this.#kept, most);
    this.#cut += this.#kept.length - kept.length;
    this.#kept = kept;
  }
}

/** What was found in a decoded value (by pointer) says nothing new where the text of its file (by line) has it too. */
function withoutDecoded(findings: readonly Finding[]): readonly Finding[] {
  const key = ({ rule, severity, file }: Finding): string => JSON.stringify([rule, severity, file]);
  const inText = new Set(findings.filter(({ line }) => line !== undefined).map(key));
  return findings.filter((finding) => finding.pointer === undefined || !inText.has(key(finding)));
}
