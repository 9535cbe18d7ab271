import type { Journal } from "../invariants/journal.ts";
import type { Seeded } from "../seeded.ts";
import type { Packages } from "./packages.ts";
import type { Task } from "./publishing.ts";
import type { Shelf, Shelved } from "./shelf.ts";
import type { Tally } from "./tally.ts";

/** What the clients of a campaign share. */
export interface Setting {
  /** `http://host:port` of every gateway. */
  readonly gateways: readonly string[];
  /** An administrator's. */
  readonly token: string;
  readonly random: Seeded;
  readonly journal: Journal;
  readonly tally: Tally;
  readonly packages: Packages;
  readonly shelf: Shelf;
  /** Publishes without an end yet. */
  readonly open: Task[];
  /** Deletions without an end yet. */
  readonly openRemovals: Shelved[];
  /** Credentials that were handed out. */
  readonly secrets: string[];
  /** An answer that no fault excuses. */
  unexpected(what: string): void;
}

export const anyGateway = ({ random, gateways }: Setting): string => gateways[random.below(gateways.length)] ?? "";
