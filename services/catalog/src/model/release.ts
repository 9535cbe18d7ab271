import type { Outbox } from "@registry/bus";
import type { Digest, PluginName, PolicyAction, ReleaseState, Version } from "@registry/domain";
import type { ReleaseCheck } from "./checks.ts";
import type { Dependency } from "./dependencies.ts";
import type { Descriptive } from "./descriptive.ts";

export type ReleaseFile = { readonly path: string; readonly size: number; readonly sha256: string };
export type ReleaseFinding = {
  readonly rule: string;
  readonly severity: string;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly pointer: string;
  /** What the policy made of it when the release was checked. */
  readonly action: PolicyAction;
};

/** What keeps a staged release from going on by itself: nothing while its publish is under way. */
export type Waiting = "tests" | "review" | "mending";

/** What a person was asked, and said. */
export type ReleaseReview = {
  readonly state: "pending" | "released" | "rejected";
  readonly reasons: readonly string[];
  readonly requestedAt: Date;
  readonly by?: string;
  readonly reason?: string;
  readonly at?: Date;
};

export type Deprecation = { readonly message: string; readonly successor: string };

/** What tells releases of one plugin apart; small, so that all of a plugin's fit in memory. */
export interface ReleaseHead {
  /** See `releaseId`. */
  readonly _id: string;
  readonly plugin: PluginName;
  readonly version: Version;
  readonly state: ReleaseState;
  readonly sha256: Digest;
  readonly size: number;
  readonly format: string;
  readonly container: string;
  readonly publishedAt?: Date;
  readonly publishedBy: string;
  readonly downloads: number;
  readonly reason: string;
  /** Of the plugin, when this release last changed. */
  readonly revision: number;
  /** Since when the plugin document has not followed this release; absent once it has. */
  readonly projectSince?: Date;
  readonly publishedById: number;
  /** Channel that the publish asked to move here; absent once the plugin has followed it. */
  readonly channel?: string;
  /** Of the plugin, when the release was published: a later move of the channel by hand wins over it. */
  readonly channelRevision?: number;
  /**
   * Of a staged release. `tests`: its own tests are to be run; `review`: a person is to decide; `mending`: its tests
   * failed, and its publisher may try again with other bytes.
   */
  readonly waiting?: Waiting;
  readonly checks?: readonly ReleaseCheck[];
  readonly review?: ReleaseReview;
  readonly deprecation?: Deprecation;
}

export const headFields = [
  "plugin",
  "version",
  "state",
  "sha256",
  "size",
  "format",
  "container",
  "publishedAt",
  "publishedBy",
  "downloads",
  "reason",
  "revision",
  "projectSince",
  "publishedById",
  "channel",
  "channelRevision",
  "waiting",
  "checks",
  "review",
  "deprecation",
] as const;

export type ReleaseContent = {
  readonly readme?: string;
  readonly changelog?: string;
  readonly files: readonly ReleaseFile[];
  readonly findings: readonly ReleaseFinding[];
};

/** One immutable package with its pending events. Content, manifest and description fall away when it is deleted. */
export interface ReleaseDocument extends ReleaseHead {
  readonly described?: Descriptive;
  /** JSON text, since a manifest's keys need not keep the store's rule for keys. */
  readonly manifestJson?: string;
  readonly content?: ReleaseContent;
  /** Plugins that it needs; absent in documents of earlier versions of the registry. */
  readonly dependencies?: readonly Dependency[];
  readonly uploadId: string;
  readonly stagedAt: Date;
  /** Beside `waiting`: since when, and for tests when they may be begun (again). */
  readonly waitingSince?: Date;
  /** How often its tests were begun. */
  readonly testRuns?: number;
  /** What its tests printed. */
  readonly testLog?: string;
  /** Of a quarantined release: what it goes back to. */
  readonly quarantinedFrom?: { readonly state: "published" | "yanked"; readonly reason: string };
  /** Of a rejected release whose bytes, not only its name, were found wanting. */
  readonly burnsBytes?: boolean;
  readonly deletedBy?: string;
  readonly outbox?: Outbox;
}

/** One document for each name and version, for ever: its key is what makes it so. */
export function releaseId(name: string, version: string): string {
  return `${name}@${version}`;
}
