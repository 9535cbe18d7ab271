import { readdir, readFile } from "node:fs/promises";

const first = 3;
const closeOnExec = 0o2000000;

/**
 * Descriptors from 3 on that a program started by this process would get: those that this process got itself from
 * whoever started it, since Node marks what it opens.
 */
export async function inheritedDescriptors(): Promise<readonly number[]> {
  const all = (await readdir("/proc/self/fdinfo")).map(Number).filter((descriptor) => descriptor >= first);
  const inherited = await Promise.all(all.map(isInherited));
  return all.filter((_, index) => inherited[index]).sort((a, b) => a - b);
}

async function isInherited(descriptor: number): Promise<boolean> {
  // One that was closed meanwhile has been Node's own.
  const text = await readFile(`/proc/self/fdinfo/${descriptor}`, "utf8").catch(() => undefined);
  const flags = text === undefined ? undefined : /^flags:\s+([0-7]+)$/m.exec(text)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
}
