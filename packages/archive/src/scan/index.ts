import type { FileEntry } from "../archive.ts";
import type { Finding } from "../inspection.ts";
import { MAGIC_BYTES, scanBinary } from "./binaries.ts";
import { type ScanBudget, scanCaps, type TextReader } from "./budget.ts";
import { scanCharacters } from "./characters.ts";
import { decoded, isTextual, LastBytes } from "./decode.ts";
import { embeddedCode, embeddedNotScanned, mayEmbed, scanEmbedded, scanPathFile } from "./embedded.ts";
import { bindingFinding, scanInstallScripts } from "./install-scripts.ts";
import { scanInstructions } from "./instructions.ts";
import { PythonWords } from "./python-words.ts";
import { isOtherScript, scanOtherScript } from "./scripts.ts";
import { scanSecrets } from "./secrets.ts";
import { languageOf, type SourceLanguage, scanSource } from "./source/index.ts";

export { ScanBudget } from "./budget.ts";
export { FindingCollector } from "./collect.ts";
export { scanDecoded } from "./decoded.ts";
export { entryPoints } from "./entry-points.ts";

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
  /** Of a long file: its last bytes. */
  readonly #end = new LastBytes(scanCaps.headBytes);
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
    this.#end.push(chunk);
    if (this.#words !== undefined) this.#words.push(chunk);
    else if (this.#room === 0 && part.length > 0) this.#startWords(chunk.subarray(part.length));
  }

  end(): readonly Finding[] {
    return [...this.#findings()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  }

  #findings(): readonly Finding[] {
    const head = this.#head();
    const language = this.#languageOf(head);
    const reader = this.#budget.readerOf(this.#path);
    const binary = this.#try("kind of file", () => scanBinary(head.subarray(0, MAGIC_BYTES), this.#path));
    const isText = isTextual(head, this.#path) && (binary.length === 0 || !head.includes(0));
    if (language === undefined && reader === undefined && !isText) return [...binary, ...this.#installed("")];
    const source = head.toString("utf8");
    const text = decoded(head, source);
    return [
      ...binary,
      ...this.#installed(text),
      ...(language === undefined ? this.#otherCode(text) : this.#source(language, source, head)),
      ...(reader === undefined ? [] : this.#agentText(text, reader)),
      ...this.#characters(text, language !== undefined || (reader !== undefined && reader !== "readme")),
      ...this.#secrets(text, head.length),
    ];
  }

  #languageOf(head: Buffer): SourceLanguage | undefined {
    const start = startOf(head);
    const entry = this.#budget.entryPoints.get(this.#path);
    const isOther = entry?.isProgram === true && isOtherScript(this.#path, start);
    return languageOf(this.#path, start) ?? (isOther ? undefined : entry?.language);
  }

  /** What is no source by itself, but holds code or is a script in another language. */
  #otherCode(text: string): readonly Finding[] {
    if (/\.pth$/i.test(this.#path)) return this.#try("path file", () => scanPathFile(text, this.#path));
    if (mayEmbed(this.#path)) return this.#try("code inside", () => this.#embedded(text));
    if (!isOtherScript(this.#path, text.slice(0, LONGEST_FIRST_LINE))) return [];
    return this.#try("script", () => scanOtherScript(text, this.#path));
  }

  #embedded(text: string): readonly Finding[] {
    const parts = embeddedCode(text, this.#path);
    const length = parts.reduce((sum, part) => sum + part.text.length, 0);
    if (this.#isLong || length > this.#budget.sourceBytes) return [embeddedNotScanned(this.#path)];
    this.#budget.sourceBytes -= length;
    return scanEmbedded(parts, this.#path, this.#budget.effort);
  }

  #head(): Buffer {
    return this.#parts.length === 1 && this.#parts[0] !== undefined ? this.#parts[0] : Buffer.concat(this.#parts);
  }

  /** With what is held of a long file, if it is Python; the rest follows as it passes. */
  #startWords(rest: Buffer): void {
    const head = this.#head();
    if (this.#languageOf(head) !== "python") return;
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

  #agentText(text: string, reader: TextReader): readonly Finding[] {
    const isOver = this.#isLong || this.#size > this.#budget.agentTextBytes;
    if (reader === "agent") this.#budget.agentTextBytes -= Math.min(text.length, this.#budget.agentTextBytes);
    if (reader === "aside") this.#budget.asideBytes -= Math.min(text.length, this.#budget.asideBytes);
    const over =
      isOver && reader === "agent"
        ? [this.#notScanned("text", "agents read it, and it is longer than is looked at; shorten or split it")]
        : [];
    const kind = reader === "readme" ? "readme" : "skill";
    return [...over, ...this.#try("text", () => scanInstructions(text, this.#path, kind))];
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
    return this.#try("secrets", () => [...scanSecrets(text, this.#path), ...this.#secretsAtEnd()]);
  }

  /** Of a long file; the lines before its end were not counted. */
  #secretsAtEnd(): readonly Finding[] {
    const end = this.#end.get();
    if (end.length === 0 || end.length > this.#budget.textBytes) return [];
    this.#budget.textBytes -= end.length;
    return scanSecrets(end.toString("utf8"), this.#path).map(({ line: _line, ...finding }) => finding);
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

/** The first lines: what tells a language stands there. */
function startOf(head: Buffer): string {
  return head.toString("utf8", 0, LONGEST_FIRST_LINE);
}
