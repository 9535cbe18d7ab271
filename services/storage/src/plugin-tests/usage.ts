import { readdir, readFile, stat, statfs } from "node:fs/promises";
import { mostFiles, type SandboxLimits } from "./limits.ts";

/** More than a sandbox may hold, so that a walk over its processes ends. */
const mostProcesses = 10_000;

/**
 * Which limit all processes of a sandbox together have gone over; undefined where none, or where it has just ended.
 * @param init id of the first process of the sandbox, seen from outside
 */
export async function limitExceeded(init: number, limits: SandboxLimits): Promise<string | undefined> {
  const processes = await descendants(init);
  // A page that several share counts for each of them at first; the exact sum costs more and is seldom needed.
  if ((await sum(processes, residentBytes)) > limits.memoryBytes) {
    const exact = await sum(processes, async (pid) => (await proportionalBytes(pid)) ?? (await residentBytes(pid)));
    if (exact > limits.memoryBytes) return `${limits.memoryBytes} bytes of memory`;
  }
  return (await countFiles(init)) > mostFiles ? `${mostFiles} files` : undefined;
}

async function countFiles(init: number): Promise<number> {
  const root = `/proc/${init}/root`;
  const [own, its] = await Promise.all([stat("/"), ifThere(stat(`${root}/`))]);
  // Until it has been set up, the sandbox has the machine's root, and files that are none of its own.
  if (its === undefined || (its.dev === own.dev && its.ino === own.ino)) return 0;
  const found = await Promise.all(["tmp", "dev/shm"].map((folder) => ifThere(statfs(`${root}/${folder}`))));
  return Math.max(...found.map((system) => (system === undefined ? 0 : system.files - system.ffree)));
}

/** The process and all below it: children of one that has ended go to the first one. */
export async function descendants(init: number): Promise<readonly number[]> {
  const found = [init];
  for (let at = 0; at < found.length && found.length < mostProcesses; at++) {
    const pid = found[at];
    for (const thread of (await ifThere(readdir(`/proc/${pid}/task`))) ?? []) {
      const children = (await ifThere(readFile(`/proc/${pid}/task/${thread}/children`, "utf8"))) ?? "";
      for (const child of children.split(" ")) if (child !== "") found.push(Number(child));
    }
  }
  return found;
}

async function sum(pids: readonly number[], measure: (pid: number) => Promise<number>): Promise<number> {
  const sizes = await Promise.all(pids.map(measure));
  return sizes.reduce((total, size) => total + size, 0);
}

async function residentBytes(pid: number): Promise<number> {
  return kibibytes(await ifThere(readFile(`/proc/${pid}/status`, "utf8")), /^VmRSS:\s+(\d+) kB$/m) ?? 0;
}

async function proportionalBytes(pid: number): Promise<number | undefined> {
  return kibibytes(await ifThere(readFile(`/proc/${pid}/smaps_rollup`, "utf8")), /^Pss:\s+(\d+) kB$/m);
}

function kibibytes(text: string | undefined, line: RegExp): number | undefined {
  const found = text === undefined ? undefined : line.exec(text)?.[1];
  return found === undefined ? undefined : Number(found) * 1024;
}

/** Processes come and go while they are looked at, and some may not be looked into. */
async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  return await reading.catch(() => undefined);
}
