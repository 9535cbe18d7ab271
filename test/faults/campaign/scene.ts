import type { Seeded } from "../seeded.ts";
import type { Registry } from "./registry.ts";
import type { Setting } from "./setting.ts";

/** What a fault happens in. */
export interface Scene {
  readonly registry: Registry;
  readonly setting: Setting;
  /** Chooses what is hurt, and nothing else, so that a seed says it. */
  readonly random: Seeded;
  /** How long a fault of the usual kind lasts, in milliseconds: at least and at most. */
  readonly lasting: readonly [number, number];
  /** Called when the fault ends: the recovery is counted from here. */
  lifted(): void;
}

export interface Fault {
  /** What the table calls it. */
  readonly kind: string;
  /** Does it, waits, undoes it. @returns what exactly happened, for the journal */
  run(scene: Scene): Promise<string>;
}

export const milliseconds = ({ lasting: [least, most], random }: Scene): number =>
  least + random.below(most - least + 1);
