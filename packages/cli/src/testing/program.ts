import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable } from "node:stream";

const program = join(import.meta.dirname, "../../bin/agenticraft-registry.js");

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs the program as users do, in a folder of the test's own, until it ends or 50 s have passed.
 * @param root folder of the test file, for what is compiled once
 * @param until ends it as soon as it says so
 */
export async function runProgram(
  root: string,
  cwd: string,
  args: readonly string[],
  settings: Record<string, string> = {},
  until?: RegExp,
): Promise<Ended> {
  const env = { PATH: process.env.PATH ?? "", NODE_COMPILE_CACHE: join(root, "compiled"), ...settings };
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 50_000,
  });
  const text = async (stream: Readable, heard: (soFar: string) => void = () => undefined): Promise<string> => {
    let soFar = "";
    for await (const part of stream.setEncoding("utf8")) {
      soFar += part;
      heard(soFar);
    }
    return soFar;
  };
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const stopWhenSaid = (soFar: string): void => {
    if (until?.test(soFar) === true) child.kill("SIGKILL");
  };
  const [out, err, code] = await Promise.all([
    text(child.stdout, stopWhenSaid),
    text(child.stderr, stopWhenSaid),
    ended,
  ]);
  return { code, out, err };
}
