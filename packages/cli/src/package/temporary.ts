import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { invalid } from "@registry/domain";
import { printable } from "./text.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Removes `path` when `use` has ended, however it ends, and when a signal ends the process meanwhile. */
async function removing<T>(path: string, use: () => Promise<T>): Promise<T> {
  const onSignal = (signal: NodeJS.Signals): void => {
    rmSync(path, { recursive: true, force: true });
    stopListening();
    process.kill(process.pid, signal);
  };
  const stopListening = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await use();
  } finally {
    stopListening();
    await rm(path, { recursive: true, force: true });
  }
}

/** A folder of its own below the system's temporary one. */
export async function withTemporaryFolder<T>(use: (path: string) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), `agenticraft-registry-pack-${process.pid}-`));
  return await removing(path, () => use(path));
}

/**
 * A new empty file beside where the result will be, so that a rename puts it there at once.
 * @throws `invalid_argument` OUTPUT_UNWRITABLE
 */
export async function withTemporaryFile<T>(folder: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(folder, `.agenticraft-registry-${randomBytes(6).toString("hex")}.tmp`);
  const handle = await open(path, "wx").catch((error: NodeJS.ErrnoException) => {
    throw invalid("OUTPUT_UNWRITABLE", `-o: nothing can be written to ${printable(folder)} (${error.code})`);
  });
  await handle.close();
  return await removing(path, () => use(path));
}
