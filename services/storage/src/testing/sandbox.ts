import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import type { RunPackageTestsResponse } from "@registry/contracts/storage";
import type { CallOptions } from "@registry/kit";
import { afterAll, beforeAll, expect } from "vitest";
import type { StorageConfig } from "../config.ts";
import { pluginFiles, zipOf } from "./packages.ts";
import { Stack } from "./stack.ts";

/** Whether this machine can run a sandbox at all; asked of bubblewrap alone, so that a fault of ours is not taken for its absence. */
function isSandboxThere(): boolean {
  try {
    execFileSync("bwrap", ["--unshare-user", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "true"], {
      stdio: "ignore",
      timeout: 20_000,
    });
    return true;
  } catch {
    return false;
  }
}

/**
 * Where nothing may be left out, tests of the sandbox fail without one; elsewhere they are left out, and that is said.
 * @param ci the variable of this name
 */
export function isSandboxNeeded(ci: string | undefined): boolean {
  if (ci !== undefined || isSandboxThere()) return true;
  process.stderr.write("no usable bubblewrap on this machine, so the sandbox is not tested\n");
  return false;
}

/** For a call that runs tests. */
export const timeoutMs = 100_000;

export type Files = Readonly<Record<string, string>>;

export const bytesOf = (files: Files): Record<string, Uint8Array> =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)]));

/** A package whose only test runs the lines, which fail it by an exception. */
export const pythonTest = (...lines: string[]): Files => ({
  // Where pytest is there, it would keep what passing tests print.
  "pytest.ini": "[pytest]\naddopts = -s\n",
  "tests/test_it.py": [
    "import os, socket, sys, time, unittest",
    "class It(unittest.TestCase):",
    "    def test_it(self):",
    ...lines.map((line) => `        ${line}`),
    "",
  ].join("\n"),
});

/** Publishes a package with these files besides an honest one's, and runs its tests. */
export async function run(stack: Stack, files: Files, options: CallOptions = {}): Promise<RunPackageTestsResponse> {
  const sha256 = await stack.publish(zipOf(pluginFiles({ extra: bytesOf(files) })));
  return await stack.storage.runPackageTests({ sha256 }, { ...stack.asService("catalog"), timeoutMs, ...options });
}

/** The command lines of all processes of this machine. */
export async function commandLines(): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  return await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
}

/** Whether a process has the mark in its command line. */
export const isRunning = async (mark: string): Promise<boolean> =>
  (await commandLines()).some((line) => line.includes(mark));

export async function until(condition: () => Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: 30_000, interval: 50 }).toBe(true);
}

/** Stories with a service that runs tests. */
export function sandboxed(config: Partial<StorageConfig>, stories: (stack: () => Stack) => void): void {
  let stack: Stack;
  beforeAll(async () => {
    stack = await Stack.start({ config: { PLUGIN_TESTS: "sandbox", ...config } });
  });
  afterAll(async () => {
    expect(await stack.localFiles()).toEqual([]);
    await stack.close();
  });
  stories(() => stack);
}
