import type { Parts } from "../parts.ts";
import type { ReleaseRepair } from "../store/release-repair.ts";
import type { RollupRepair } from "../store/rollup-repair.ts";
import type { UsagePages } from "../store/usage-pages.ts";

/** What a rebuild is made of. */
export interface RebuildParts
  extends Pick<Parts, "clock" | "log" | "clients" | "config" | "usages" | "rollups" | "trims" | "activities"> {
  readonly rollupRepair: RollupRepair;
  readonly releaseRepair: ReleaseRepair;
  readonly usagePages: UsagePages;
}
