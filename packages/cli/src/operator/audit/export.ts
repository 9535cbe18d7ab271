import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { exportLine } from "@registry/audit";
import type { AuditEntry } from "@registry/contracts/audit";
import { RegistryError } from "@registry/domain";
import { Progress } from "../../package/progress.ts";
import { withOperator } from "../connect.ts";
import { rowsOfRegistry } from "./rows.ts";

export interface ExportCommand {
  readonly output?: string;
  readonly from: number;
  /** Settings file. */
  readonly env: string;
}

/** Writes the log down, a line for each row. @returns the exit code */
export async function exportLog({ env, output, from }: ExportCommand): Promise<number> {
  await withOperator(env, async ({ clients }) => {
    const progress = new Progress(process.stderr);
    const lines = Readable.from(linesOf(rowsOfRegistry(clients, from), progress));
    try {
      if (output === undefined) await pipeline(lines, process.stdout, { end: false });
      else await writeFile(lines, output);
    } finally {
      progress.end();
    }
  });
  return 0;
}

async function* linesOf(rows: AsyncIterable<AuditEntry>, progress: Progress): AsyncGenerator<string> {
  for await (const row of rows) {
    progress.tell(`exported up to row ${row.sequence}`);
    yield `${exportLine(row)}\n`;
  }
}

/** Whole or not there; what is there already stays. */
async function writeFile(lines: Readable, path: string): Promise<void> {
  let opened = false;
  const file = createWriteStream(path, { flags: "wx", mode: 0o600, flush: true }).once("open", () => {
    opened = true;
  });
  try {
    await pipeline(lines, file);
  } catch (error) {
    if (opened) await rm(path, { force: true });
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new RegistryError("already_exists", "FILE_EXISTS", `${path} is there already; move it away or name another`);
  }
}
