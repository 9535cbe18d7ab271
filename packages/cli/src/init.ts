import { randomBytes } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import type { Setting } from "@registry/kit";
import { allSettings } from "./settings.ts";

type Answers = ReadonlyMap<string, string>;

/** Asked on a terminal; everything else keeps its default until somebody edits the file. */
const questions = ["REGISTRY_NAME", "HOST", "PORT", "DATA_DIR"] as const;

/**
 * Writes a commented settings file with fresh secrets (mode 0600). Asks only on a terminal and never overwrites.
 * @returns the exit code: 1 where the file is there already
 */
export async function init(path: string): Promise<number> {
  let file: number;
  try {
    file = openSync(path, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    process.stderr.write(`${path} is there already and was left as it is; move it away to start anew\n`);
    return 1;
  }
  try {
    const answers = process.stdin.isTTY && process.stdout.isTTY ? await ask() : new Map<string, string>();
    writeSync(file, settingsFile(answers, randomBytes(36).toString("base64url")));
  } finally {
    closeSync(file);
  }
  process.stdout.write(`Wrote ${path} with a fresh SECRET_KEY. Next: agenticraft-registry serve\n`);
  return 0;
}

async function ask(): Promise<Answers> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answers = new Map<string, string>();
  try {
    for (const name of questions) {
      const setting: Setting<unknown> = allSettings[name];
      for (let tries = 0; tries < 3; tries++) {
        const answer = (await terminal.question(`${setting.description} [${setting.shownDefault}]: `)).trim();
        const problem = problemOf(setting, answer);
        if (problem === undefined) {
          if (answer !== "") answers.set(name, answer);
          break;
        }
        process.stdout.write(`  ${problem}\n`);
      }
    }
  } finally {
    terminal.close();
  }
  return answers;
}

function problemOf(setting: Setting<unknown>, answer: string): string | undefined {
  try {
    if (answer !== "") setting.parse(answer);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Every setting, commented out at its default unless it was answered. */
export function settingsFile(answers: Answers, secretKey: string): string {
  const lines = Object.entries(allSettings).flatMap(([name, setting]: [string, Setting<unknown>]) => {
    const value = name === "SECRET_KEY" ? secretKey : answers.get(name);
    const line = value === undefined ? `#${name}=${placeholder(setting)}` : `${name}=${quoted(value)}`;
    return ["", `# ${setting.description} (default: ${setting.shownDefault || "none"})`, line];
  });
  const head = [
    "# Settings of agenticraft-registry. The environment wins over this file.",
    "# A secret X may instead come from the file named by X_FILE.",
  ];
  return `${[...head, ...lines].join("\n")}\n`;
}

function placeholder(setting: Setting<unknown>): string {
  const isValue = setting.fallback !== undefined && !setting.secret;
  return isValue ? setting.shownDefault : "";
}

function quoted(value: string): string {
  return /^[\w./:@-]*$/.test(value) ? value : JSON.stringify(value);
}
