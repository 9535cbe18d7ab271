import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { BareRow } from "./bare.ts";

const root = join(import.meta.dirname, "../..");

export interface MeasuredRegistry {
  readonly url: string;
  readonly token: string;
  /** Milliseconds from spawning to the line that says ready. */
  readonly startUpMs: number;
  /** Resident memory, bytes. */
  memory(): number;
  /** Time that its threads had on a processor so far, milliseconds. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/** Starts the program with embedded stores in a fresh folder. */
export async function startRegistry(): Promise<MeasuredRegistry> {
  const dataDir = mkdtempSync(join(tmpdir(), "registry-bench-"));
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(root, "packages/cli/src/main.ts"), "serve", "--env", "/dev/null"], {
    env: {
      PATH: process.env.PATH ?? "",
      DATA_DIR: dataDir,
      PORT: "0",
      GRPC_PORT: "0",
      LOG_LEVEL: "error",
      RATE_LIMIT_PUBLISHES: "0",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await readUrl(child);
  const startUpMs = performance.now() - startedAt;
  return {
    url,
    token: readFileSync(join(dataDir, "admin-token"), "utf8").trim(),
    startUpMs,
    memory: () => residentBytes(child.pid),
    cpuMs: () => cpuMs(child.pid),
    stop: async () => {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function readUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("the registry has no standard output");
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /HTTP\s+(http:\S+)/.exec(line)?.[1];
    if (url !== undefined) {
      child.stdout.resume();
      return url;
    }
  }
  throw new Error("the registry ended before it was ready");
}

export function residentBytes(pid: number | undefined): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) * 1024;
}

/** The kernel counts in hundredths of a second. */
function cpuMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export interface Bare {
  readonly url: string;
  add(rows: readonly BareRow[]): Promise<void>;
  memory(): number;
  stop(): Promise<void>;
}

export async function startBare(): Promise<Bare> {
  const child = fork(join(import.meta.dirname, "bare.ts"), { stdio: "inherit" });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return {
    url: `http://127.0.0.1:${port}`,
    add: async (rows) => {
      const told = once(child, "message");
      child.send(rows);
      await told;
    },
    memory: () => residentBytes(child.pid),
    stop: async () => {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
