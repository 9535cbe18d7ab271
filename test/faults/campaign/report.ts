import { verdictLines } from "../invariants/index.ts";
import type { Report } from "./campaign.ts";
import type { Injected } from "./injecting.ts";

/** Whether everything came back and everything that could be judged holds. */
export function holds({ invariants, downloads, problems }: Report): boolean {
  const { counted, least, most } = downloads;
  const equal = counted >= least && counted <= most;
  return problems.length === 0 && equal && invariants.every((verdict) => verdict.holds !== false);
}

export function reportLines(report: Report): string[] {
  const { seed, faults, requests, invariants, downloads, problems } = report;
  const { counted, least, most, settledMs } = downloads;
  const after =
    settledMs === undefined ? "never all of them" : `all ${(settledMs / 1000).toFixed(1)} s after the last fault`;
  const byKind = [...Map.groupBy(faults, ({ kind }) => kind)].sort(([one], [other]) => (one < other ? -1 : 1));
  const deeds = Object.entries(requests).map(([deed, { tried, failed }]) => `${deed} ${tried} (${failed} failed)`);
  return [
    "",
    row("fault", "count", "recovery, s", "requests", "failed"),
    ...byKind.map(([kind, each]) => faultRow(kind, each)),
    "",
    `requests: ${deeds.join(", ")}`,
    "",
    ...verdictLines(invariants),
    "",
    `downloads: ${counted} counted, ${least === most ? least : `${least} to ${most}`} made according to the journal; ${after}`,
    ...problems,
    `seed ${seed}: ${faults.length} faults, ${holds(report) ? "everything holds" : "BROKEN"}`,
  ];
}

const row = (kind: string, ...cells: string[]): string =>
  `${kind.padEnd(40)}${cells.map((cell) => cell.padStart(14)).join("")}`;

/** Recovery: the median and the longest. */
function faultRow(kind: string, each: readonly Injected[]): string {
  const times = each.map(({ recoveredMs = Number.POSITIVE_INFINITY }) => recoveredMs / 1000).sort((a, b) => a - b);
  const median = times[Math.floor((times.length - 1) / 2)] ?? 0;
  const longest = times.at(-1) ?? 0;
  const recovery = times.length === 1 ? median.toFixed(1) : `${median.toFixed(1)}, ${longest.toFixed(1)}`;
  const sum = (count: (injected: Injected) => number): string =>
    String(each.reduce((total, injected) => total + count(injected), 0));
  return row(
    kind,
    String(each.length),
    recovery,
    sum(({ tried }) => tried),
    sum(({ failed }) => failed),
  );
}
