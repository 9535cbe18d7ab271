import autocannon from "autocannon";

export interface Load {
  readonly name: string;
  readonly method?: "GET" | "POST";
  /** Cycled through by every connection. */
  readonly paths: readonly string[];
  readonly connections: number;
}

/** Requests per second of one short run. @throws where an answer was not 2xx */
export async function requestsPerSecond(url: string, load: Load, seconds: number): Promise<number> {
  const result = await autocannon({
    url,
    connections: load.connections,
    duration: seconds,
    requests: load.paths.map((path) => ({ method: load.method ?? "GET", path })),
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${load.name}: ${result.non2xx} answers were not 2xx, ${result.errors} failed`);
  }
  return result["2xx"] / result.duration;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export interface Comparison {
  readonly name: string;
  /** Requests per second, medians. */
  readonly registry: number;
  readonly bare: number;
  readonly ratio: number;
}

/** Interleaves both sides, so that whatever else the machine does hits both. */
export async function compare(
  load: Load,
  urls: { readonly registry: string; readonly bare: string },
  options: { readonly rounds: number; readonly seconds: number },
): Promise<Comparison> {
  const registry: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    registry.push(await requestsPerSecond(urls.registry, load, options.seconds));
    bare.push(await requestsPerSecond(urls.bare, load, options.seconds));
  }
  const ratios = registry.map((value, i) => value / (bare[i] ?? Number.NaN));
  return { name: load.name, registry: median(registry), bare: median(bare), ratio: median(ratios) };
}
