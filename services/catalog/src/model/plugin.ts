import type { Outbox } from "@registry/bus";
import type { OrgRole, PluginName, Version, Visibility } from "@registry/domain";
import type { Need } from "./dependencies.ts";
import type { Descriptive } from "./descriptive.ts";
import type { Deprecation } from "./release.ts";

/** A channel that was moved by hand. The higher revision wins where two moves meet. */
export type Pin = { readonly version: Version; readonly revision: number };

/**
 * A name and what is known of it. What `Projection` holds follows the releases and can be computed from them again at
 * any time; the rest is the truth.
 */
export interface PluginDocument extends Projection {
  readonly _id: PluginName;
  /** From a counter, for clients that want a number. */
  readonly id: number;
  readonly skeleton: string;
  /** Of a user; 0 where an organisation owns it. */
  readonly ownerId: number;
  /** Username or organisation. */
  readonly owner: string;
  /** The organisation that owns it; its name is never given out again, so it is as good as an id. */
  readonly org?: string;
  /** Of the organisation: the members to whom it is assigned. */
  readonly team?: string;
  /** Users whom the owner gave a role on it. */
  readonly collaborators?: readonly Collaborator[];
  readonly visibility: Visibility;
  readonly verified: boolean;
  readonly overrides: { readonly title?: string; readonly description?: string };
  readonly pins: { readonly [channel: string]: Pin };
  readonly deprecation?: Deprecation;
  /** Counted downloads of all releases. */
  readonly downloads: number;
  /** False for a name that was claimed by a first publish which is not through yet; nobody sees it. */
  readonly published: boolean;
  /** A deletion of all releases that began and is not through yet. */
  readonly deletion?: Deletion;
  /** It was deleted as a whole, and nothing was published under its name since. */
  readonly gone?: true;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When anything at all was written, downloads included; other replicas read what is new by it. */
  readonly changedAt: Date;
  /** Grows with every change that can be seen. */
  readonly revision: number;
  /** Highest revision that was given out, also to releases that are not visible yet. */
  readonly sequence: number;
  /** Grows with every write that readers must learn of. */
  readonly stamp: number;
  /** How many of these writes told of downloads and of nothing else; absent for none. */
  readonly countings?: number;
  readonly outbox?: Outbox;
}

/** As `stamp`, of the writes that told of more than downloads. */
export function stampBesideCounts({ stamp, countings = 0 }: Pick<PluginDocument, "stamp" | "countings">): number {
  return stamp - countings;
}

/** As events tell it: a plugin without a listed release is seen by nobody. */
export function shownVisibility({ listed, visibility }: PluginDocument): Visibility | "hidden" {
  return listed === 0 ? "hidden" : visibility;
}

export type Collaborator = { readonly id: number; readonly username: string; readonly role: OrgRole };

/** To whom a plugin belongs. */
export type Ownership = Pick<PluginDocument, "ownerId" | "owner" | "org">;

export type Deletion = { readonly by: string; readonly reason: string; readonly at: Date };

/** The part of a plugin that follows from its releases. */
export interface Projection extends Descriptive {
  /** Empty while nothing is published. */
  readonly latest: Version | "";
  readonly channels: { readonly [channel: string]: Version };
  /** Releases that everybody who may see the plugin sees. */
  readonly listed: number;
  /** Releases that were deleted after they had been published. */
  readonly tombstones: number;
  /** What its listed releases need, by name; absent in documents of earlier versions of the registry. */
  readonly needs?: readonly Need[];
}
