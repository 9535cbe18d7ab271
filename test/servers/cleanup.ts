import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inherited } from "./environment.ts";

let watchdog: ChildProcess | undefined;

/**
 * Makes sure that the process with `pid` does not outlive this one.
 *
 * @returns what to call when it has ended, before its id can be used again.
 */
export function endWithUs(pid: number): () => void {
  return hold(String(pid));
}

/** A new temporary folder that is removed by `remove`, or when this process ends. */
export function temporaryFolder(name: string): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `agenticraft-registry-${name}-`));
  const release = hold(path);
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true, maxRetries: 5 });
      release();
    },
  };
}

function hold(entry: string): () => void {
  tell(`+${entry}`);
  let held = true;
  return () => {
    if (held) tell(`-${entry}`);
    held = false;
  };
}

function tell(line: string): void {
  watchdog ??= startWatchdog();
  watchdog.stdin?.write(`${line}\n`);
}

/** A session of its own keeps it alive through a Ctrl-C that is meant for the tests. */
function startWatchdog(): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, "watchdog.ts")], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    env: inherited({ NODE_OPTIONS: undefined, NODE_V8_COVERAGE: undefined }),
  });
  child.unref();
  const pipe = child.stdin as (NodeJS.WritableStream & { unref?(): void }) | null;
  pipe?.unref?.();
  pipe?.on("error", () => {});
  return child;
}
