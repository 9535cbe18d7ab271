/**
 * First figures: the registry with embedded stores beside bare `node:http` with the same bytes, interleaved in one run.
 * `npm run bench`, `npm run bench -- --json`, `npm run bench -- --quick` (fewer plugins and rounds).
 */
import { pluginZip } from "../builders/plugin.ts";
import type { BareRow } from "./bare.ts";
import { type Comparison, compare, type Load, median } from "./measure.ts";
import { type Bare, type MeasuredRegistry, startBare, startRegistry } from "./processes.ts";

const quick = process.argv.includes("--quick");
const asJson = process.argv.includes("--json");
const sizes = quick ? [100, 500] : [1000, 10_000];
const pace = quick ? { rounds: 1, seconds: 1 } : { rounds: 5, seconds: 2 };
const words = ["weather", "calendar", "invoice", "browser", "vector", "search", "memory", "email", "graph", "vision"];

function say(text: string): void {
  if (!asJson) process.stdout.write(`${text}\n`);
}

function nth(i: number): { name: string; zip: Uint8Array } {
  const [first, second] = [words[i % words.length] ?? "", words[Math.floor(i / words.length) % words.length] ?? ""];
  const name = `${first}-${second}-${i}`;
  const title = `${first} ${second} helper`;
  const description = `Helps agents with ${first} and ${second}, number ${i}`;
  return { name, zip: pluginZip({ name, title, description, tags: [first, second] }) };
}

async function publish(registry: MeasuredRegistry, name: string, zip: Uint8Array): Promise<void> {
  const form = new FormData();
  form.set("package", new Blob([zip as Uint8Array<ArrayBuffer>]), `${name}.zip`);
  const headers = { authorization: `Bearer ${registry.token}` };
  const answer = await fetch(`${registry.url}/api/v1/plugins`, { method: "POST", body: form, headers });
  if (answer.status !== 201) throw new Error(`publishing ${name}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

async function publishUpTo(registry: MeasuredRegistry, from: number, to: number): Promise<void> {
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < to) {
      const i = next++;
      const { name, zip } = nth(i);
      await publish(registry, name, zip);
      if ((i + 1) % 1000 === 0) say(`  published ${i + 1}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

/** Gives the yardstick the very answers of the registry. */
async function mirror(registry: MeasuredRegistry, bare: Bare, paths: readonly string[]): Promise<void> {
  const rows: BareRow[] = [];
  for (const path of paths) {
    const answer = await fetch(registry.url + path);
    const body = Buffer.from(await answer.arrayBuffer()).toString("base64");
    const headers = { "content-type": answer.headers.get("content-type") ?? "application/octet-stream" };
    rows.push({ method: "GET", path, status: answer.status, headers, body });
  }
  await bare.add(rows);
}

async function compareAll(registry: MeasuredRegistry, bare: Bare, loads: readonly Load[]): Promise<Comparison[]> {
  const results: Comparison[] = [];
  for (const load of loads) {
    await mirror(registry, bare, load.paths);
    const result = await compare(load, { registry: registry.url, bare: bare.url }, pace);
    results.push(result);
    say(row(result));
  }
  return results;
}

function row({ name, registry, bare, ratio }: Comparison): string {
  return `  ${name.padEnd(34)} ${registry.toFixed(0).padStart(8)} ${bare.toFixed(0).padStart(8)} ${ratio.toFixed(2).padStart(7)}`;
}

function reads(count: number): Load[] {
  const some = Array.from({ length: 50 }, (_, i) => nth(Math.floor((i * count) / 50)));
  const queries = words.flatMap((a, i) => [a, `${a} ${words[(i + 3) % words.length]}`, `${a.slice(0, -2)}x`]);
  return [
    { name: `metadata, ${count} plugins`, paths: some.map(({ name }) => `/api/v1/plugins/${name}`), connections: 16 },
    {
      name: `list, ${count} plugins`,
      paths: [0, 20, 40, 60].map((n) => `/api/v1/plugins?limit=20&offset=${n}`),
      connections: 16,
    },
    {
      name: `search, ${count} plugins`,
      paths: queries.map((q) => `/api/v1/search?q=${encodeURIComponent(q)}`),
      connections: 16,
    },
  ];
}

/** Every query once and never again, so that no cache has it. */
function freshSearches(count: number): Load {
  const paths = Array.from({ length: 4000 }, (_, i) => {
    const [a, b] = [words[i % 10] ?? "", words[Math.floor(i / 10) % 10] ?? ""];
    return `/api/v1/search?q=${a}%20${b}%20${i}`;
  });
  return { name: `search never asked before, ${count}`, paths, connections: 16 };
}

async function downloads(registry: MeasuredRegistry, bare: Bare): Promise<Comparison[]> {
  const loads: Load[] = [];
  for (const [label, ballast] of [
    ["20 KB", 20_000],
    ["5 MB", 5_000_000],
  ] as const) {
    const name = `download-${ballast}`;
    await publish(registry, name, pluginZip({ name, ballast }));
    const path = `/plugins/${name}/1.0.0/${name}-1.0.0.zip`;
    loads.push({ name: `download of ${label}`, paths: [path], connections: 4 });
  }
  return compareAll(registry, bare, loads);
}

/** Publishes one after the other; the yardstick takes the same body and answers at once. */
async function publishes(registry: MeasuredRegistry, bare: Bare): Promise<Comparison> {
  await bare.add([{ method: "POST", path: "/api/v1/plugins", status: 201, headers: {}, body: "" }]);
  const each = { registry: [] as number[], bare: [] as number[] };
  for (let i = 0; i < (quick ? 20 : 200); i++) {
    const name = `published-${i}`;
    const zip = pluginZip({ name, ballast: 20_000 });
    for (const [side, target] of [
      ["registry", registry],
      ["bare", { ...registry, url: bare.url }],
    ] as const) {
      const startedAt = performance.now();
      await publish(target, name, zip);
      each[side].push(performance.now() - startedAt);
    }
  }
  const perSecond = (values: readonly number[]): number => 1000 / median(values);
  const result = { registry: perSecond(each.registry), bare: perSecond(each.bare) };
  const comparison = { name: "publish of 20 KB, one at a time", ...result, ratio: result.registry / result.bare };
  say(row(comparison));
  return comparison;
}

const registry = await startRegistry();
const bare = await startBare();
try {
  say(`start-up ${registry.startUpMs.toFixed(0)} ms, memory ${(registry.memory() / 1e6).toFixed(0)} MB`);
  say(
    `  ${"requests per second, medians".padEnd(34)} ${"registry".padStart(8)} ${"bare".padStart(8)} ${"ratio".padStart(7)}`,
  );
  const results: Comparison[] = [];
  const memory: Record<string, number> = { start: registry.memory() };
  let published = 0;
  for (const size of sizes) {
    await publishUpTo(registry, published, size);
    published = size;
    results.push(...(await compareAll(registry, bare, [...reads(size), freshSearches(size)])));
    memory[`${size} plugins`] = registry.memory();
    say(`  memory with ${size} plugins: ${(registry.memory() / 1e6).toFixed(0)} MB`);
  }
  results.push(await publishes(registry, bare), ...(await downloads(registry, bare)));
  memory.end = registry.memory();
  if (asJson) process.stdout.write(`${JSON.stringify({ startUpMs: registry.startUpMs, memory, results }, null, 2)}\n`);
} finally {
  await Promise.all([registry.stop(), bare.stop()]);
}
