import { setTimeout as pause } from "node:timers/promises";
import { ask, jsonOf } from "./client.ts";
import type { Registry } from "./registry.ts";
import type { Setting } from "./setting.ts";

/** Downloads that the registry has counted, and those that clients made. */
export interface Downloads {
  readonly counted: number;
  /** According to the journal. */
  readonly least: number;
  readonly most: number;
  /** Until all were counted, from the time at which it was asked for; undefined: they never were. */
  readonly settledMs: number | undefined;
}

const withinMs = 150_000;
const tellEveryMs = 10_000;
const lookEveryMs = 500;

/**
 * Waits until the downloads are counted. How long that may take nobody promises, only that none is lost: a database that is
 * busy counts slowly.
 */
export async function untilCounted(
  { stack }: Registry,
  { journal }: Setting,
  say: (line: string) => void,
): Promise<Downloads> {
  const made = (outcome: string): number =>
    journal.entries.filter((entry) => entry.type === "download" && entry.outcome === outcome).length;
  const least = made("complete");
  const most = least + made("unknown");
  const begun = performance.now();
  const passed = (): number => Math.round(performance.now() - begun);
  let toldAt = 0;
  let counted = Number.NaN;
  while (passed() < withinMs) {
    counted = await total(stack.baseUrls[0] ?? "");
    if (counted >= least) return { counted, least, most, settledMs: passed() };
    if (passed() - toldAt > tellEveryMs) {
      toldAt = passed();
      say(`  ${counted} of ${least} downloads counted after ${Math.round(toldAt / 1000)} s`);
    }
    await pause(lookEveryMs);
  }
  return { counted, least, most, settledMs: undefined };
}

async function total(gateway: string): Promise<number> {
  const reply = await ask("GET", `${gateway}/api/v1/analytics/metrics`).catch(() => undefined);
  return reply?.status === 200 ? jsonOf<{ total_downloads: number }>(reply).total_downloads : Number.NaN;
}
