import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopServers } from "../../servers/index.ts";
import { missingFor } from "../../stack/index.ts";
import { runCampaign } from "./campaign.ts";
import { type CampaignOptions, parseOptions, usage } from "./options.ts";
import { holds, reportLines } from "./report.ts";

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** Beyond the time that faults go on: start, settling and judging take no longer on a machine that can run this at all. */
const marginMs = 420_000;
const shortMs = 240_000;

/** @returns the exit code */
export async function campaignCommand(args: readonly string[]): Promise<number> {
  let options: CampaignOptions | undefined;
  try {
    options = parseOptions(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}\n`);
    return 2;
  }
  if (options === undefined) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  if (missingFor("five-by-two") !== undefined) return 2;
  return await bounded(options);
}

/** However it goes, nothing that was started outlives this. */
async function bounded(options: CampaignOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "agenticraft-registry-faults-"));
  const ending = Promise.withResolvers<number>();
  const listeners = Object.entries(signals).map(([signal, code]) => {
    const listener = (): void => ending.resolve(code);
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  const limit = options.minutes === undefined ? shortMs : options.minutes * 60_000 + marginMs;
  const late = setTimeout(() => {
    process.stderr.write(`it did not come to an end within ${limit / 1000} s\n`);
    ending.resolve(1);
  }, limit);
  let keep = true;
  try {
    const code = await Promise.race([ending.promise, run(options, folder)]);
    keep = options.keep || code === 1;
    return code;
  } finally {
    clearTimeout(late);
    await stopServers();
    for (const remove of listeners) remove();
    if (keep) process.stderr.write(`journal and logs are in ${folder}\n`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

async function run(options: CampaignOptions, folder: string): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  say(`seed ${options.seed}`);
  try {
    const report = await runCampaign(options, folder, say);
    const text = options.json ? JSON.stringify(report, null, 2) : reportLines(report).join("\n");
    process.stdout.write(`${text}\n`);
    return holds(report) ? 0 : 1;
  } catch (error) {
    say((error as Error).stack ?? String(error));
    return 1;
  }
}
