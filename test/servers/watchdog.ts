import { rmSync } from "node:fs";
import { createInterface } from "node:readline";

/**
 * Reads `+pid`, `-pid`, `+/folder` and `-/folder` lines, and once its input ends, which it does however the test process
 * dies, kills the processes and then removes the folders that were not taken back.
 */
const held = new Set<string>();

for await (const line of createInterface({ input: process.stdin })) {
  if (line.startsWith("+")) held.add(line.slice(1));
  else held.delete(line.slice(1));
}

const pids = [...held].filter((entry) => /^[0-9]+$/.test(entry)).map(Number);
const folders = [...held].filter((entry) => entry.startsWith("/"));

for (const pid of pids) end(pid);
for (let attempt = 0; attempt < 200 && pids.some(alive); attempt += 1) {
  await new Promise((resolve) => setTimeout(resolve, 25));
}
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself meanwhile.
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
