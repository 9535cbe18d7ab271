import { execFile } from "node:child_process";
import { join } from "node:path";
import { captureFailure } from "../secrets/record.ts";
import { inherited } from "../servers/environment.ts";
import type { Stack } from "../stack/index.ts";

const program = join(import.meta.dirname, "..", "..", "packages", "cli", "src", "main.ts");

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command of the operator against the registry. */
export function operate(stack: Stack, args: readonly string[], changes: Record<string, string> = {}): Promise<Ended> {
  const { PATH, HOME, TMPDIR } = inherited();
  const env = { PATH, HOME, TMPDIR, ...stack.operatorSettings, ...changes };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: stack.folder, env, timeout: 60_000 }, (error, out, err) => {
      captureFailure(err);
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, out, err });
    });
  });
}
