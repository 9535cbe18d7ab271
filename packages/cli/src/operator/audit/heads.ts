import type { KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type CheckedHead, type Head, parseHeadLine, verifyHead } from "@registry/audit";
import { invalid } from "@registry/domain";
import { publicKeysIn } from "./keys.ts";

/** Signed ends from wherever they were kept, looked at once. */
export class Heads {
  readonly #keys: readonly KeyObject[];
  readonly checked: CheckedHead[] = [];
  /** What is wrong with those that no key signed. */
  readonly forged: string[] = [];
  /** Lines that are none, perhaps since a crash cut them short. */
  unreadable = 0;

  constructor(keys: readonly KeyObject[]) {
    this.#keys = keys;
  }

  add(head: Head, source: string, keys = this.#keys): void {
    if (verifyHead(keys, head)) this.checked.push({ ...head, source });
    else this.forged.push(`${source}: the head of row ${head.sequence} is not signed by this registry`);
  }

  /**
   * @param trusted the file is an auditor's own, so the keys that it brings along are believed
   * @throws kind `invalid_argument`, reason `NO_KEY`, where nothing says which key to believe
   */
  async addFile(path: string, trusted: boolean): Promise<void> {
    const lines = (await readFile(path, "utf8")).split("\n");
    for (const [i, line] of lines.entries()) {
      if (line.trim() === "") continue;
      const parsed = headIn(line);
      const source = `${path}, line ${i + 1}`;
      if (parsed === undefined) {
        this.unreadable += 1;
        continue;
      }
      const brought = trusted && parsed.publicKey !== undefined ? publicKeysIn(parsed.publicKey, source) : [];
      const keys = [...this.#keys, ...brought];
      if (keys.length === 0) {
        const text = `${source}: no key is known to check it with; give the registry's public key with --key, or its settings with --env`;
        throw invalid("NO_KEY", text);
      }
      this.add(parsed.head, source, keys);
    }
  }
}

function headIn(line: string): ReturnType<typeof parseHeadLine> | undefined {
  try {
    return parseHeadLine(line);
  } catch {
    return undefined;
  }
}
