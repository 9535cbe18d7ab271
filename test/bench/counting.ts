/**
 * What counting costs: metadata answers while 1,000 counted downloads a second run beside them, while as many downloads
 * run that are not counted (all but the first byte), and while as many other reads do, interleaved in one run. Afterwards every download has to have been counted.
 * `node test/bench/counting.ts`, with `--quick` for three rounds, `--plugins=300` for how many the downloads are spread over.
 */
import autocannon from "autocannon";
import { pluginZip } from "../builders/plugin.ts";
import { median } from "./measure.ts";
import { type MeasuredRegistry, startRegistry } from "./processes.ts";

const quick = process.argv.includes("--quick");
const spread = Number(process.argv.find((each) => each.startsWith("--plugins="))?.slice(10) ?? 20);
const rounds = quick ? 3 : 12;
/** Short, so that whatever else the machine does hits both sides. */
const seconds = 3;
const perSecond = 1000;
const warmUpSeconds = 5;
const readers = 50;

interface Side {
  readonly answersPerSecond: number;
  /** For each second that the registry's threads had on a processor; the stream's answers included. */
  readonly answersPerCpuSecond: number;
  readonly p99: number;
}

async function publish(registry: MeasuredRegistry, name: string): Promise<void> {
  const form = new FormData();
  form.set("package", new Blob([pluginZip({ name }) as Uint8Array<ArrayBuffer>]), `${name}.zip`);
  const headers = { authorization: `Bearer ${registry.token}` };
  const answer = await fetch(`${registry.url}/api/v1/plugins`, { method: "POST", body: form, headers });
  await answer.arrayBuffer();
  if (answer.status !== 201) throw new Error(`publishing ${name}: ${answer.status}`);
}

const read = Array.from({ length: readers }, (_, i) => `read-${i}`);
const loaded = Array.from({ length: spread }, (_, i) => `loaded-${i}`);
const metadata = (name: string): string => `/api/v1/plugins/${name}`;
const bytes = (name: string): string => `/plugins/${name}/1.0.0/${name}-1.0.0.zip`;

interface Asked {
  readonly method: "GET";
  readonly path: string;
  readonly headers?: { readonly range: string };
}
const gets = (paths: readonly string[]): Asked[] => paths.map((path) => ({ method: "GET", path }));
/** The same bytes but for the first one, which makes it no download. */
const laterRanges = (paths: readonly string[]): Asked[] =>
  paths.map((path) => ({ method: "GET", path, headers: { range: "bytes=1-" } }));

async function streamed(url: string, requests: Asked[], forSeconds: number): Promise<void> {
  const amount = perSecond * forSeconds;
  const result = await autocannon({ url, connections: 10, overallRate: perSecond, amount, requests });
  assertFine(result);
}

function assertFine({ non2xx, errors }: { readonly non2xx: number; readonly errors: number }): void {
  if (non2xx + errors > 0) throw new Error(`${non2xx} answers were not 2xx, ${errors} failed`);
}

/** Metadata as fast as it comes, beside a steady stream of other requests. */
async function beside(registry: MeasuredRegistry, stream: Asked[]): Promise<Side> {
  const { url } = registry;
  const steady = streamed(url, stream, seconds + 2);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const cpuBefore = registry.cpuMs();
  const result = await autocannon({ url, connections: 16, duration: seconds, requests: gets(read.map(metadata)) });
  const cpuMs = registry.cpuMs() - cpuBefore;
  assertFine(result);
  await steady;
  const answers = result["2xx"];
  return {
    answersPerSecond: answers / result.duration,
    answersPerCpuSecond: ((answers + perSecond * result.duration) * 1000) / cpuMs,
    p99: result.latency.p99,
  };
}

async function downloads(url: string): Promise<number> {
  const answer = await fetch(`${url}/api/v1/analytics/metrics`);
  return ((await answer.json()) as { total_downloads: number }).total_downloads;
}

/** @returns how long it took, milliseconds */
async function untilCounted(url: string, expected: number): Promise<number> {
  const startedAt = performance.now();
  for (let counted = -1; counted !== expected; ) {
    counted = await downloads(url);
    if (counted > expected) throw new Error(`${counted} downloads were counted, ${expected} were made`);
    if (performance.now() - startedAt > 60_000) throw new Error(`${counted} of ${expected} downloads were counted`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return performance.now() - startedAt;
}

/** Everything was asked for before, so that neither side pays for what is read once. */
async function untilReady(url: string): Promise<number> {
  await streamed(url, gets([...loaded, ...loaded, ...read].map(metadata)), 2);
  await streamed(url, gets(loaded.map(bytes)), warmUpSeconds);
  return warmUpSeconds * perSecond;
}

const ratio = (of: Side, to: Side, figure: keyof Side): number => of[figure] / to[figure];
/** Of each round: answers beside counted downloads to those beside as many uncounted ones, and beside as many other reads. */
const ratios = { uncounted: [] as number[], uncountedByCpu: [] as number[], others: [] as number[] };

const registry = await startRegistry();
try {
  for (const name of [...read, ...loaded]) await publish(registry, name);
  let made = await untilReady(registry.url);
  await untilCounted(registry.url, made);
  // Neither does it pay for code that was not run often yet.
  await beside(registry, gets(loaded.map(metadata)));
  for (let round = 0; round < rounds; round++) {
    const others = await beside(registry, gets(loaded.map(metadata)));
    const uncounted = await beside(registry, laterRanges(loaded.map(bytes)));
    const counted = await beside(registry, gets(loaded.map(bytes)));
    made += perSecond * (seconds + 2);
    const lagMs = await untilCounted(registry.url, made);
    ratios.uncounted.push(ratio(counted, uncounted, "answersPerSecond"));
    ratios.uncountedByCpu.push(ratio(counted, uncounted, "answersPerCpuSecond"));
    ratios.others.push(ratio(counted, others, "answersPerSecond"));
    const answers = [others, uncounted, counted].map((side) => side.answersPerSecond.toFixed(0));
    const figures = [
      `answers/s beside other reads ${answers[0]}, uncounted downloads ${answers[1]}, counted ones ${answers[2]}`,
      `ratios ${ratios.uncounted.at(-1)?.toFixed(3)} and ${ratios.others.at(-1)?.toFixed(3)}`,
      `p99 ${uncounted.p99} -> ${counted.p99} ms`,
      `all counted after ${lagMs.toFixed(0)} ms`,
    ];
    process.stdout.write(`${figures.join(", ")}\n`);
  }
  process.stdout.write(
    `medians: beside ${perSecond} counted downloads a second, answers ${median(ratios.uncounted).toFixed(3)} of those ` +
      `beside as many uncounted ones (${median(ratios.uncountedByCpu).toFixed(3)} by CPU), ${median(ratios.others).toFixed(3)} ` +
      `of those beside as many other reads; ${made} downloads over ${spread} plugins, each counted once\n`,
  );
} finally {
  await registry.stop();
}
