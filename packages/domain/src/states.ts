import { RegistryError } from "./errors.ts";

export const releaseStates = ["staged", "abandoned", "published", "yanked", "quarantined", "deleted"] as const;
export type ReleaseState = (typeof releaseStates)[number];

/** Every move that a release may make; what is not here cannot happen. */
const moves: { readonly [from in ReleaseState]: readonly ReleaseState[] } = {
  staged: ["published", "abandoned", "quarantined", "deleted"],
  // The version was never seen by anybody, so the same name and version may be tried again.
  abandoned: ["staged"],
  published: ["yanked", "quarantined", "deleted"],
  yanked: ["published", "quarantined", "deleted"],
  quarantined: ["published", "yanked", "deleted"],
  deleted: [],
};

export function mayMove(from: ReleaseState, to: ReleaseState): boolean {
  return moves[from].includes(to);
}

/** States from which a release may come to `to`. */
export function movesInto(to: ReleaseState): ReleaseState[] {
  return releaseStates.filter((from) => mayMove(from, to));
}

/** @throws kind `conflict`, reason `INVALID_STATE` */
export function assertMove(from: ReleaseState, to: ReleaseState): void {
  if (!mayMove(from, to)) {
    throw new RegistryError("conflict", "INVALID_STATE", `a release that is ${from} cannot become ${to}`);
  }
}

/** Everybody who may see the plugin sees releases in these states. */
export const listedStates: readonly ReleaseState[] = ["published", "yanked"];
/** The owner and administrators see these as well. */
export const hiddenStates: readonly ReleaseState[] = ["staged", "quarantined"];
