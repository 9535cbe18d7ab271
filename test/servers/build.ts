import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { endWithUs } from "./cleanup.ts";
import { inherited } from "./environment.ts";
import { cacheFolder, hasTool } from "./find.ts";
import type { Recipe, Step } from "./recipes.ts";

const stepDeadline = 30 * 60_000;
const progressEvery = 30_000;
const keptOutput = 4_000;

/** Receives one line for people, without line end. */
export type Say = (line: string) => void;

/**
 * Builds one recipe in a folder beside its final one and renames it, so that a half-built program is never found. The caller
 * holds the lock for it.
 *
 * @throws with the end of the build's output when its tool is missing, fails, or takes longer than 30 minutes.
 */
export async function build(recipe: Recipe, say: Say): Promise<void> {
  if (!hasTool(recipe.tool)) throw new Error(`${recipe.tool} is not on the PATH`);
  const into = emptyFolder(recipe);
  const started = performance.now();
  say(`${recipe.folder}: installing with ${recipe.tool}, takes about ${recipe.usual}`);
  const progress = setInterval(() => say(`${recipe.folder}: still at it after ${seconds(started)} s`), progressEvery);
  try {
    for (const step of recipe.steps(into)) await run(step, into);
    recipe.finish?.(into);
    if (!existsSync(join(into, recipe.program))) throw new Error(`the build has left no ${recipe.program}`);
    const home = join(cacheFolder(), recipe.folder);
    rmSync(home, { recursive: true, force: true });
    renameSync(into, home);
    say(`${recipe.folder}: installed in ${seconds(started)} s`);
  } finally {
    clearInterval(progress);
    rmSync(into, { recursive: true, force: true });
  }
}

/** What builds of the same thing have left behind when they were killed goes; the caller's lock says that none runs. */
function emptyFolder(recipe: Recipe): string {
  const prefix = `.building-${recipe.folder}-`;
  mkdirSync(cacheFolder(), { recursive: true });
  for (const name of readdirSync(cacheFolder())) {
    if (name.startsWith(prefix)) rmSync(join(cacheFolder(), name), { recursive: true, force: true });
  }
  return mkdtempSync(join(cacheFolder(), prefix));
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 1000);
}

async function run(step: Step, into: string): Promise<void> {
  const child = spawn(step.command, step.args, {
    cwd: step.cwd ?? into,
    env: inherited(step.env),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: stepDeadline,
  });
  const release = child.pid === undefined ? () => {} : endWithUs(child.pid);
  let output = "";
  const keep = (text: string) => {
    output = (output + text).slice(-keptOutput);
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    if (code === 0) return;
    throw new Error(`${step.command} ${step.args.join(" ")} ended with ${signal ?? code}:\n${output.trimEnd()}`);
  } finally {
    release();
  }
}
