import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { endWithUs, temporaryFolder } from "../../servers/cleanup.ts";

const program = join(import.meta.dirname, "..", "run.ts");
const gracefulMs = 20_000;

/** `npm run faults` as a process, for tests. */
export interface Running {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  out(): string;
  err(): string;
  /** Waits for its end. @throws where that takes longer than it may; then it has been ended */
  ended(withinMs: number): Promise<number | null>;
}

/**
 * It prints to files: a pipe that something below it held open would keep whoever reads it waiting for ever. It ends with
 * the test process at the latest.
 */
export function startFaults(args: readonly string[]): Running {
  const folder = temporaryFolder("faults-test");
  const files = [join(folder.path, "out"), join(folder.path, "err")] as const;
  const [out, err] = [openSync(files[0], "w"), openSync(files[1], "w")];
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", out, err] });
  closeSync(out);
  closeSync(err);
  const release = child.pid === undefined ? () => undefined : endWithUs(child.pid);
  child.once("exit", release);
  const running: Running = {
    child,
    out: () => readFileSync(files[0], "utf8"),
    err: () => readFileSync(files[1], "utf8"),
    async ended(withinMs) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const polite = setTimeout(() => child.kill("SIGTERM"), withinMs);
      const rude = setTimeout(() => child.kill("SIGKILL"), withinMs + gracefulMs);
      const startedAt = performance.now();
      await once(child, "exit");
      clearTimeout(polite);
      clearTimeout(rude);
      if (performance.now() - startedAt < withinMs) return child.exitCode;
      throw new Error(`it did not end within ${withinMs} ms:\n${running.err()}`);
    },
  };
  return running;
}
