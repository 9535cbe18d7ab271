import { execFileSync } from "node:child_process";

/** True where the program can be started. */
export function hasTool(name: string, probe: readonly string[]): boolean {
  try {
    execFileSync(name, probe, { stdio: "ignore", timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

const searchPath = execFileSync("sh", ["-c", 'printf %s "$PATH"']).toString();

/** Runs a program to its end and returns its output; `input` goes to its standard input. */
export function runTool(name: string, args: readonly string[], options: { cwd?: string; input?: string } = {}): Buffer {
  return execFileSync(name, args, {
    cwd: options.cwd,
    env: { PATH: searchPath, LC_ALL: "C.UTF-8" },
    input: options.input ?? "",
    timeout: 120_000,
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["pipe", "pipe", "pipe"],
  });
}

export function python(
  script: string,
  args: readonly string[] = [],
  options: { cwd?: string; input?: string } = {},
): Buffer {
  return runTool("python3", ["-I", "-c", script, ...args], options);
}
