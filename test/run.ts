import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { folderSetting } from "./secrets/record.ts";
import { judgeSecrets } from "./secrets/verdict.ts";
import { inherited, onCi } from "./servers/environment.ts";
import { everyServer, installServers } from "./servers/install.ts";
import { passedIn, type Summary, summarise, summaryLine } from "./summary.ts";

/** `npm test`: installs the servers that are missing, runs vitest with the arguments given, tells the counts last. */

const root = join(import.meta.dirname, "..");
const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function nodeIsNewEnough(): boolean {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= 24) return true;
  say(
    `The tests need Node 24 or newer; this is ${process.version}. ` +
      "Run `npm ci` without --ignore-scripts or --omit=dev, which brings one along, and then `npm test`.",
  );
  return false;
}

async function haveServers(): Promise<boolean> {
  const failed = await installServers(everyServer, say);
  for (const { name, reason } of failed) {
    say(`${name} could not be installed; suites that need it ${onCi() ? "fail" : "are skipped"}: ${reason}`);
  }
  return failed.length === 0;
}

async function runVitest(args: string[]): Promise<Summary> {
  const folder = mkdtempSync(join(tmpdir(), "agenticraft-registry-report-"));
  const recorded = join(folder, "recorded");
  const output = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${output}`];
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", ...reporters, ...args], {
    cwd: root,
    stdio: "inherit",
    env: inherited({ [folderSetting]: recorded }),
  });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of signals) process.on(signal, pass);
  try {
    const [code] = (await once(child, "close")) as [number | null];
    const report = parsed(output);
    return await withSecrets(summarise(report, code === 0), recorded, passedIn(report, join(root, "test", "e2e")));
  } finally {
    for (const signal of signals) process.off(signal, pass);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every secret that the run used is looked for in all that it left; each place where one stands is a failed test. */
async function withSecrets(summary: Summary, recorded: string, stacksRan: boolean): Promise<Summary> {
  const { failures, told } = await judgeSecrets(recorded, stacksRan);
  for (const failure of failures) say(`secrets: ${failure}`);
  if (stacksRan) say(`secrets: ${told}`);
  return { ...summary, failed: summary.failed + (failures.length === 0 ? 0 : 1) };
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

if (nodeIsNewEnough()) {
  const complete = await haveServers();
  const summary = await runVitest(process.argv.slice(2));
  process.exitCode = summary.failed === 0 && (complete || !onCi()) ? 0 : 1;
  say(summaryLine(summary));
} else {
  process.exitCode = 1;
  say(summaryLine({ passed: 0, failed: 1, skipped: 0 }));
}
