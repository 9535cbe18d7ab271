import type { FileEntry } from "../archive.ts";
import type { Finding } from "../inspection.ts";
import { MAGIC_BYTES, scanBinary } from "./binaries.ts";
import { type ScanBudget, scanCaps } from "./budget.ts";
import { scanCharacters } from "./characters.ts";
import { bindingFinding, scanInstallScripts } from "./install-scripts.ts";
import { scanInstructions } from "./instructions.ts";
import { PythonWords } from "./python-words.ts";
import { scanSecrets } from "./secrets.ts";
import { languageOf, type SourceLanguage, scanSource } from "./source/index.ts";

export { ScanBudget } from "./budget.ts";
export { FindingCollector } from "./collect.ts";
export { scanDecoded } from "./decoded.ts";

/** Manifests at the package root, as they are written; their decoded values are looked at by `scanDecoded`. */
const manifestFile = /^(?:plugin\.ya?ml|(?:plugin|manifest|server|package|mcp)\.json)$/;

/** Looks at one file of a package while its bytes pass by. */
export interface FileScan {
  push(chunk: Buffer): void;
  /** Once every byte was pushed; in the order of lines. Never throws: a check that fails is a finding itself. */
  end(): readonly Finding[];
}

/** Files must be scanned one after the other; each takes from the same budget. Holds at most 1 MiB of the file. */
export function startScan(file: FileEntry, budget: ScanBudget): FileScan {
  return new Scan(file, budget);
}

class Scan implements FileScan {
  readonly #path: string;
  readonly #size: number;
  readonly #budget: ScanBudget;
  readonly #parts: Buffer[] = [];
  readonly #isLong: boolean;
  #room: number;
  #words: PythonWords | undefined;

  constructor(file: FileEntry, budget: ScanBudget) {
    this.#path = file.path;
    this.#size = file.size;
    this.#budget = budget;
    this.#isLong = file.size > scanCaps.fileBytes;
    this.#room = this.#isLong ? scanCaps.headBytes : scanCaps.fileBytes;
  }

  push(chunk: Buffer): void {
    const part = chunk.subarray(0, this.#room);
    if (part.length > 0) this.#parts.push(part);
    this.#room -= part.length;
    if (!this.#isLong) return;
    if (this.#words !== undefined) this.#words.push(chunk);
    else if (this.#room === 0 && part.length > 0) this.#startWords(chunk.subarray(part.length));
  }

  end(): readonly Finding[] {
    return [...this.#findings()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  }

  #findings(): readonly Finding[] {
    const head = this.#head();
    const language = languageOf(this.#path, firstLineOf(head));
    const binary = this.#try("kind of file", () => scanBinary(head.subarray(0, MAGIC_BYTES), this.#path));
    const isAgentText = this.#budget.isAgentText(this.#path);
    if (language === undefined && !isAgentText && head.includes(0)) return [...binary, ...this.#installed("")];
    const text = head.toString("utf8");
    return [
      ...binary,
      ...this.#installed(text),
      ...(language === undefined ? [] : this.#source(language, text, head)),
      ...(isAgentText ? this.#agentText(text) : []),
      ...this.#characters(text, language !== undefined || isAgentText),
      ...this.#secrets(text, head.length),
    ];
  }

  #head(): Buffer {
    return this.#parts.length === 1 && this.#parts[0] !== undefined ? this.#parts[0] : Buffer.concat(this.#parts);
  }

  /** With what is held of a long file, if it is Python; the rest follows as it passes. */
  #startWords(rest: Buffer): void {
    const head = this.#head();
    if (languageOf(this.#path, firstLineOf(head)) !== "python") return;
    this.#words = new PythonWords(this.#path);
    this.#words.push(head);
    this.#words.push(rest);
  }

  #source(language: SourceLanguage, text: string, head: Buffer): readonly Finding[] {
    if (!this.#isLong && this.#size <= this.#budget.sourceBytes) {
      this.#budget.sourceBytes -= this.#size;
      return this.#try("source code", () => scanSource(language, text, this.#path, this.#budget.effort));
    }
    const reason = this.#isLong
      ? `it is longer than ${scanCaps.fileBytes} bytes; split it, or leave out what is generated`
      : `the package has more than ${scanCaps.sourceBytes} bytes of source code; leave out what is generated or copied`;
    const words = this.#words ?? new PythonWords(this.#path);
    if (language === "python" && this.#words === undefined) words.push(head);
    return [this.#notScanned("code", reason), ...words.end()];
  }

  #agentText(text: string): readonly Finding[] {
    const isOver = this.#isLong || this.#size > this.#budget.agentTextBytes;
    this.#budget.agentTextBytes -= Math.min(text.length, this.#budget.agentTextBytes);
    const over = isOver
      ? [this.#notScanned("text", "agents read it, and it is longer than is looked at; shorten or split it")]
      : [];
    return [...over, ...this.#try("text", () => scanInstructions(text, this.#path, "skill"))];
  }

  #characters(text: string, isRead: boolean): readonly Finding[] {
    if (!isRead && !manifestFile.test(this.#path)) return [];
    return this.#try("characters", () => scanCharacters(text, this.#path));
  }

  #secrets(text: string, bytes: number): readonly Finding[] {
    const isOver = bytes > this.#budget.textBytes;
    if (this.#isLong || isOver) this.#budget.cutTexts++;
    if (isOver) return [];
    this.#budget.textBytes -= bytes;
    return this.#try("secrets", () => scanSecrets(text, this.#path));
  }

  #installed(text: string): readonly Finding[] {
    if (this.#path === "binding.gyp") return [bindingFinding(this.#path)];
    if (this.#path !== "package.json") return [];
    if (this.#isLong) return [this.#notScanned("text", "it is too long for its install scripts to be looked at")];
    return this.#try("install scripts", () => scanInstallScripts(text, this.#path));
  }

  #notScanned(what: "code" | "text", reason: string): Finding {
    const message = `The file was not checked, since ${reason}`;
    return { rule: `${what}-not-scanned`, severity: "high", message, file: this.#path };
  }

  #try(what: string, scan: () => readonly Finding[]): readonly Finding[] {
    try {
      return scan();
    } catch {
      const message = `The check of this file (${what}) failed, so nobody knows what it would have found`;
      return [{ rule: "scan-failed", severity: "high", message, file: this.#path }];
    }
  }
}

const LONGEST_FIRST_LINE = 256;

function firstLineOf(head: Buffer): string {
  const line = head.toString("utf8", 0, LONGEST_FIRST_LINE);
  const end = line.indexOf("\n");
  return end === -1 ? line : line.slice(0, end);
}
