import { type FileHandle, mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { type Head, parseHeadLine } from "@registry/audit";

const longestFile = 8 * 1024 * 1024;
/** More than any line has. */
const tailBytes = 1024;

/**
 * Signed heads in a file apart from the store, one JSON object a line, readable by its owner alone. It is only appended
 * to; when it is full it becomes `<path>.1`, whose older content goes.
 */
export class HeadFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Synced to the disk once resolved. */
  async append(head: Head): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    if ((await this.#tail()).size >= longestFile) await rename(this.#path, `${this.#path}.1`);
    // A crash may have cut the last line short.
    const { text } = await this.#tail();
    const start = text === "" || text.endsWith("\n") ? "" : "\n";
    const file = await open(this.#path, "a", 0o600);
    try {
      const { sequence, hash, time, signature } = head;
      await file.write(`${start}${JSON.stringify({ sequence, hash, time: time.toISOString(), signature })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** The newest head of the file; undefined where there is none that can be read. */
  async last(): Promise<Head | undefined> {
    const lines = (await this.#tail()).text.trimEnd().split("\n");
    return headIn(lines.at(-1) ?? "");
  }

  async #tail(): Promise<{ readonly size: number; readonly text: string }> {
    const file = await this.#openIfThere();
    if (file === undefined) return { size: 0, text: "" };
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(tailBytes),
        0,
        tailBytes,
        Math.max(0, size - tailBytes),
      );
      return { size, text: buffer.subarray(0, bytesRead).toString("utf8") };
    } finally {
      await file.close();
    }
  }

  async #openIfThere(): Promise<FileHandle | undefined> {
    try {
      return await open(this.#path, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }
}

function headIn(line: string): Head | undefined {
  try {
    return parseHeadLine(line).head;
  } catch {
    return undefined;
  }
}
