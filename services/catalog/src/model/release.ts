import type { Outbox } from "@registry/bus";
import type { Digest, PluginName, ReleaseState, Version } from "@registry/domain";
import type { Descriptive } from "./descriptive.ts";

export type ReleaseFile = { readonly path: string; readonly size: number; readonly sha256: string };
export type ReleaseFinding = {
  readonly rule: string;
  readonly severity: string;
  readonly message: string;
  readonly file: string;
  readonly line: number;
};

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
  /** Channel that the publish asked to move here. */
  readonly channel?: string;
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
  "channel",
] as const;

export type ReleaseContent = {
  readonly readme?: string;
  readonly changelog?: string;
  readonly files: readonly ReleaseFile[];
  readonly findings: readonly ReleaseFinding[];
};

/** One immutable package with its pending events. Content, manifest and description fall away when it is deleted. */
export interface ReleaseDocument extends ReleaseHead {
  readonly publishedById: number;
  readonly described?: Descriptive;
  /** JSON text, since a manifest's keys need not keep the store's rule for keys. */
  readonly manifestJson?: string;
  readonly content?: ReleaseContent;
  readonly uploadId: string;
  readonly stagedAt: Date;
  readonly deletedBy?: string;
  readonly outbox?: Outbox;
}

/** One document for each name and version, for ever: its key is what makes it so. */
export function releaseId(name: string, version: string): string {
  return `${name}@${version}`;
}
