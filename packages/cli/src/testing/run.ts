import { spawn } from "node:child_process";
import { join } from "node:path";

const program = join(import.meta.dirname, "../../bin/agenticraft-registry.js");

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs the program as users do, in a folder of the test's own, until it ends or 50 s have passed.
 * @param compiled folder for compiled code, so that further runs start faster
 */
export async function run(
  cwd: string,
  args: readonly string[],
  settings: Record<string, string>,
  compiled: string,
): Promise<Ended> {
  const env = { PATH: process.env.PATH ?? "", NODE_COMPILE_CACHE: compiled, ...settings };
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 50_000,
  });
  const text = async (stream: AsyncIterable<Buffer>): Promise<string> => {
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}
