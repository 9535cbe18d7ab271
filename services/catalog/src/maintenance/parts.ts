import type { Relay } from "@registry/bus";
import type { MaintenanceServiceDefinition } from "@registry/contracts/maintenance";
import type { Handler } from "@registry/kit";
import type { Parts } from "../parts.ts";
import type { Rebuilds } from "../store/rebuilds.ts";

/** What the use cases of maintenance are made of. */
export interface MaintenanceParts extends Pick<Parts, "clock" | "log" | "plugins" | "releases"> {
  readonly relays: readonly Relay[];
  readonly rebuilds: Rebuilds;
  /** This replica looks at once. */
  readonly kickRebuild: () => void;
}

type Methods = (typeof MaintenanceServiceDefinition)["methods"];
export type MaintenanceUseCase<M extends keyof Methods> = (parts: MaintenanceParts) => Handler<Methods[M]>;
