import type { FileEntry } from "../archive.ts";
import type { Finding } from "../inspection.ts";

import { Effort } from "./source/parse.ts";

const MiB = 1024 * 1024;

/** How much of a package is looked at. What is over is told in a finding, never passed over in silence. */
export const scanCaps = {
  /** Of one file that is held as a whole. */
  fileBytes: MiB,
  /** Of a longer file: its beginning. */
  headBytes: 64 * 1024,
  /** Of all files that are parsed as source code. */
  sourceBytes: 4 * MiB,
  /** Of all texts that agents read. */
  agentTextBytes: 8 * MiB,
  /** Of all texts that are searched for secrets. */
  textBytes: 16 * MiB,
} as const;

const skillFile = /(?:^|\/)skill\.md$/i;
/** Files that agents read without being asked to. */
const agentFile = /(?:^|\/)(?:agents|claude|gemini|copilot-instructions)\.md$/i;

/** What is left of the caps while the files of one package pass by, and which of them agents read. */
export class ScanBudget {
  sourceBytes: number = scanCaps.sourceBytes;
  agentTextBytes: number = scanCaps.agentTextBytes;
  textBytes: number = scanCaps.textBytes;
  /** For parsing source code. */
  readonly effort = new Effort();
  /** Files that were searched for secrets only in part, or not at all. */
  cutTexts = 0;
  readonly #skillFolders: ReadonlySet<string>;

  constructor(files: readonly FileEntry[]) {
    this.#skillFolders = new Set(files.filter(({ path }) => skillFile.test(path)).map(({ path }) => folderOf(path)));
  }

  /** A SKILL.md, any Markdown in its folder or below, and the like. */
  isAgentText(path: string): boolean {
    if (agentFile.test(path)) return true;
    if (!/\.(?:md|markdown)$/i.test(path)) return false;
    for (let folder = folderOf(path); ; folder = folderOf(folder)) {
      if (this.#skillFolders.has(folder)) return true;
      if (folder === "") return false;
    }
  }

  /** About the package as a whole, once every file has passed. */
  findings(): readonly Finding[] {
    if (this.cutTexts === 0) return [];
    const message = `${this.cutTexts} large ${this.cutTexts === 1 ? "file was" : "files were"} not searched for secrets to the end`;
    return [{ rule: "secrets-partly-scanned", severity: "info", message }];
  }
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
