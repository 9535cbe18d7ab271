/**
 * What counting 1,000 downloads a second costs: the registry's processor time, as a part of two cores, and how long other
 * answers take. Metadata is asked for at a steady rate, once beside counted downloads, once beside as many that are not
 * counted (all but the first byte), once beside as many other reads, interleaved in one run. Steady, since what comes as
 * fast as it can measures the machine's other work more than ours. Afterwards every download has to have been counted.
 * `node test/bench/counting.ts`, with `--quick` for two rounds, `--plugins=300` for how many the downloads are spread over.
 */
import { setTimeout as pause } from "node:timers/promises";
import autocannon from "autocannon";
import { pluginZip } from "../builders/plugin.ts";
import { median } from "./measure.ts";
import { type MeasuredRegistry, startRegistry } from "./processes.ts";

const quick = process.argv.includes("--quick");
const spread = Number(process.argv.find((each) => each.startsWith("--plugins="))?.slice(10) ?? 20);
const rounds = quick ? 2 : 6;
/** Counting goes in waves of some four seconds where the downloads are spread widely. */
const seconds = 12;
const perSecond = 1000;
const answersPerSecond = 2000;
const warmUpSeconds = 8;
const readers = 50;
const cores = 2;

interface Side {
  /** Of the registry's threads, milliseconds in each second; what is done after the last request included. */
  readonly cpuMs: number;
  /** Of the metadata answers, milliseconds. */
  readonly mean: number;
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

async function streamed(url: string, requests: Asked[], rate: number, forSeconds: number): Promise<autocannon.Result> {
  const result = await autocannon({ url, connections: 10, overallRate: rate, amount: rate * forSeconds, requests });
  const { non2xx, errors } = result;
  if (non2xx + errors > 0) throw new Error(`${non2xx} answers were not 2xx, ${errors} failed`);
  return result;
}

/** @param ended resolves when all is done that the stream has led to */
async function beside(registry: MeasuredRegistry, stream: Asked[], ended: () => Promise<unknown>): Promise<Side> {
  const { url } = registry;
  const before = registry.cpuMs();
  const [{ latency }] = await Promise.all([
    streamed(url, gets(read.map(metadata)), answersPerSecond, seconds),
    streamed(url, stream, perSecond, seconds),
  ]);
  await ended();
  return { cpuMs: (registry.cpuMs() - before) / seconds, mean: latency.mean, p99: latency.p99 };
}

async function downloads(url: string): Promise<number> {
  const answer = await fetch(`${url}/api/v1/analytics/metrics`);
  return ((await answer.json()) as { total_downloads: number }).total_downloads;
}

/** Also until what was counted is shown everywhere. */
async function untilCounted(url: string, expected: number): Promise<void> {
  const startedAt = performance.now();
  for (let counted = -1; counted !== expected; ) {
    counted = await downloads(url);
    if (counted > expected) throw new Error(`${counted} downloads were counted, ${expected} were made`);
    if (performance.now() - startedAt > 60_000) throw new Error(`${counted} of ${expected} downloads were counted`);
    await pause(200);
  }
  await pause(2000);
}

const share = (of: Side, to: Side): number => (of.cpuMs - to.cpuMs) / (cores * 1000);
/** Of each round: what counted downloads cost more than uncounted ones and than other reads, and how much longer answers took. */
const found = { share: [] as number[], shareToReads: [] as number[], mean: [] as number[], p99: [] as number[] };

const registry = await startRegistry();
try {
  for (const name of [...read, ...loaded]) await publish(registry, name);
  // Everything was asked for and every path was run before, so that no side pays for that.
  let made = perSecond * warmUpSeconds;
  await streamed(registry.url, gets([...loaded, ...read].map(metadata)), perSecond, warmUpSeconds);
  await streamed(registry.url, laterRanges(loaded.map(bytes)), perSecond, warmUpSeconds);
  await streamed(registry.url, gets(loaded.map(bytes)), perSecond, warmUpSeconds);
  await untilCounted(registry.url, made);
  for (let round = 0; round < rounds; round++) {
    const reads = await beside(registry, gets(loaded.map(metadata)), () => pause(2000));
    const uncounted = await beside(registry, laterRanges(loaded.map(bytes)), () => pause(2000));
    made += perSecond * seconds;
    const counted = await beside(registry, gets(loaded.map(bytes)), () => untilCounted(registry.url, made));
    found.share.push(share(counted, uncounted));
    found.shareToReads.push(share(counted, reads));
    found.mean.push(counted.mean / uncounted.mean);
    found.p99.push(counted.p99 / uncounted.p99);
    const sides = [reads, uncounted, counted].map(
      ({ cpuMs, mean, p99 }) => `${cpuMs.toFixed(0)} ms of processor, answers ${mean.toFixed(2)} ms (p99 ${p99})`,
    );
    process.stdout.write(`other reads: ${sides[0]}; uncounted: ${sides[1]}; counted: ${sides[2]}\n`);
  }
  const percent = (values: readonly number[]): string => `${(median(values) * 100).toFixed(1)} %`;
  process.stdout.write(
    `medians: counting ${perSecond} downloads a second costs ${percent(found.share)} of ${cores} cores more than as many ` +
      `uncounted ones (${percent(found.shareToReads)} more than other reads); beside them answers take ` +
      `${median(found.mean).toFixed(3)} of the time (p99 ${median(found.p99).toFixed(2)}); ` +
      `${made} downloads over ${spread} plugins, each counted once\n`,
  );
} finally {
  await registry.stop();
}
