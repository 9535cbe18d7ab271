import { Gauge } from "prom-client";
import type { Metrics } from "../metrics.ts";

export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, boolean>>;
}

/** However many scrape, what is needed is asked no more often. */
const maxAgeMs = 1000;

/**
 * Shows at each scrape whether the process may be sent work, and what of what it needs answers.
 * @param ask bounded in time; fails never
 */
export function exportReadiness(metrics: Metrics, ask: () => Promise<Readiness>): void {
  let last: { readonly state: Promise<Readiness>; readonly at: number } | undefined;
  const state = (): Promise<Readiness> => {
    const at = performance.now();
    if (last === undefined || at - last.at > maxAgeMs) last = { state: ask(), at };
    return last.state;
  };
  const registers = [metrics.registry];
  new Gauge({
    name: "registry_check_up",
    help: "Whether what the process needs answers",
    labelNames: ["check"],
    registers,
    async collect() {
      const { checks } = await state();
      this.reset();
      for (const [check, holds] of Object.entries(checks)) this.set({ check }, holds ? 1 : 0);
    },
  });
  new Gauge({
    name: "registry_ready",
    help: "Whether the process may be sent work",
    registers,
    async collect() {
      this.set((await state()).ready ? 1 : 0);
    },
  });
}
