import { createReadStream } from "node:fs";
import { formsOf, type Secret } from "./forms.ts";

/** Where a secret stands. */
export interface Finding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly kind: string;
  /** What stands around it, the secret masked. */
  readonly around: string;
}

interface Form {
  readonly text: string;
  readonly kind: string;
}

const prefixLength = 8;
const contextLength = 40;
const mostFindings = 50;

/** Looks for many secrets at once, in time that grows with what is searched and hardly with their number. */
export class SecretSearch {
  readonly #byPrefix = new Map<string, Form[]>();
  readonly #longest: number;

  constructor(secrets: readonly Secret[]) {
    let longest = prefixLength;
    for (const { kind, value } of secrets) {
      for (const form of formsOf(value)) {
        // As bytes, since that is how files are read.
        const text = Buffer.from(form).toString("latin1");
        const prefix = text.slice(0, prefixLength);
        this.#byPrefix.set(prefix, [...(this.#byPrefix.get(prefix) ?? []), { text, kind }]);
        longest = Math.max(longest, text.length);
      }
    }
    this.#longest = longest;
  }

  /** Reads the file piece by piece. At most 50 findings. */
  async searchFile(file: string): Promise<Finding[]> {
    const findings: Finding[] = [];
    let text = "";
    let line = 1;
    const look = (until: number): void => {
      for (const { at, form } of this.#matches(text, until)) {
        if (findings.length >= mostFindings) return;
        const on = line + newlines(text.slice(0, at));
        findings.push({ file, line: on, kind: form.kind, around: masked(text, at, form.text.length) });
      }
      line += newlines(text.slice(0, until));
      text = text.slice(until);
    };
    for await (const piece of createReadStream(file, { encoding: "latin1" })) {
      text += piece;
      // What could be the beginning of one waits for the next piece.
      look(Math.max(0, text.length - this.#longest - contextLength));
    }
    look(text.length);
    return findings;
  }

  /** Matches that begin before `until`; of overlapping ones the first. */
  *#matches(text: string, until: number): Generator<{ at: number; form: Form }> {
    for (let at = 0; at < until; at += 1) {
      const forms = this.#byPrefix.get(text.slice(at, at + prefixLength));
      const form = forms?.find((each) => text.startsWith(each.text, at));
      if (form === undefined) continue;
      yield { at, form };
      at += form.text.length - 1;
    }
  }
}

function newlines(text: string): number {
  return text.split("\n").length - 1;
}

function masked(text: string, at: number, length: number): string {
  const before =
    text
      .slice(Math.max(0, at - contextLength), at)
      .split("\n")
      .at(-1) ?? "";
  const behind = text.slice(at + length, at + length + contextLength).split("\n")[0] ?? "";
  return `${before}***${behind}`;
}
