import type { FileEntry } from "../archive.ts";
import type { Finding } from "../inspection.ts";

import type { EntryPoint } from "./entry-points.ts";
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
  /** Of all texts beside skills that may be mere data. What is over is not held for a reviewer. */
  asideBytes: 2 * MiB,
  /** Of all texts that are searched for secrets. */
  textBytes: 16 * MiB,
} as const;

const skillFile = /(?:^|\/)skill\.md$/i;
/** Files that agents read without being asked to, or as a whole when they are told to. */
const agentFile =
  /(?:^|\/)(?:(?:agents|claude|claude\.local|gemini|qwen|copilot-instructions|[\w-]{1,60}\.instructions)\.md|\.(?:cursor|windsurf|cline|roo)rules|(?:commands|agents)\/(?:[\w. -]{1,100}\/){0,4}[^/]{1,200}\.(?:md|markdown)|hooks\/[^/]{1,200}\.json|\.cursor\/rules\/[^/]{1,200}\.mdc?)$/i;
const readmeFile = /^readme(?:\.(?:md|mdx|markdown|txt|rst))?$/i;

/** `agent`: agents take it for advice. `aside`: the same, but it may be mere data. `readme`: written for people first. */
export type TextReader = "agent" | "aside" | "readme";

/** What is left of the caps while the files of one package pass by, and which of them agents read. */
export class ScanBudget {
  sourceBytes: number = scanCaps.sourceBytes;
  agentTextBytes: number = scanCaps.agentTextBytes;
  asideBytes: number = scanCaps.asideBytes;
  textBytes: number = scanCaps.textBytes;
  /** For parsing source code. */
  readonly effort = new Effort();
  /** Files that were searched for secrets only in part, or not at all. */
  cutTexts = 0;
  readonly entryPoints: ReadonlyMap<string, EntryPoint>;
  readonly #skillFolders: ReadonlySet<string>;

  /** @param entryPoints files that a manifest names as code, for those whose names do not tell their language */
  constructor(files: readonly FileEntry[], entryPoints: ReadonlyMap<string, EntryPoint> = new Map()) {
    this.#skillFolders = new Set(files.filter(({ path }) => skillFile.test(path)).map(({ path }) => folderOf(path)));
    this.entryPoints = entryPoints;
  }

  /** Who reads it: a SKILL.md, any text in its folder or below, and the like; undefined for all else. */
  readerOf(path: string): TextReader | undefined {
    if (agentFile.test(path)) return "agent";
    const extension = /\.(?:md|mdx|markdown|(txt|rst))$/i.exec(path);
    if (extension !== null && this.#isInSkill(path)) {
      if (extension[1] === undefined) return "agent";
      return this.asideBytes > 0 ? "aside" : undefined;
    }
    return readmeFile.test(path) ? "readme" : undefined;
  }

  #isInSkill(path: string): boolean {
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
