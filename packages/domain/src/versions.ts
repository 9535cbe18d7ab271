import semver from "semver";
import { invalid, quote } from "./errors.ts";

declare const version: unique symbol;
/** A Semantic Versioning 2.0 version without build metadata, in its one spelling. */
export type Version = string & { readonly [version]: true };

const longest = 64;

export function isVersion(text: string): text is Version {
  return text.length <= longest && !text.includes("+") && semver.valid(text) === text;
}

/** @throws kind `invalid_argument`, reason `INVALID_VERSION` */
export function parseVersion(text: string, pointer = "/version"): Version {
  if (isVersion(text)) return text;
  const hint = text.includes("+")
    ? "leave the build metadata (+…) away"
    : "use MAJOR.MINOR.PATCH, e.g. 1.2.0 or 1.2.0-rc.1";
  throw invalid("INVALID_VERSION", `version: ${quote(text)} is not a version; ${hint}`, pointer);
}

/** By precedence: negative if `a` comes before `b`. */
export function compareVersions(a: Version, b: Version): number {
  return semver.compare(a, b);
}

export function isPrerelease(v: Version): boolean {
  return semver.prerelease(v) !== null;
}

/** Highest first. */
export function sortVersions(versions: readonly Version[]): Version[] {
  return [...versions].sort((a, b) => semver.rcompare(a, b));
}

/** The highest release; a prerelease only where there is nothing else. */
export function latestOf(versions: readonly Version[]): Version | undefined {
  const sorted = sortVersions(versions);
  return sorted.find((v) => !isPrerelease(v)) ?? sorted[0];
}

/** A version, a range as npm writes it, or the name of a channel. */
export type VersionSpec =
  | { readonly type: "exact"; readonly version: Version }
  | { readonly type: "range"; readonly range: string }
  | { readonly type: "channel"; readonly channel: string };

const channelName = /^[a-z][a-z0-9-]{0,31}$/;

export function isChannelName(text: string): boolean {
  return channelName.test(text) && semver.validRange(text) === null;
}

/**
 * Reads what a client asks for; empty means the channel `latest`.
 * @throws kind `invalid_argument`, reason `INVALID_VERSION`
 */
export function parseVersionSpec(text: string, pointer = "/version"): VersionSpec {
  if (text === "") return { type: "channel", channel: "latest" };
  if (isVersion(text)) return { type: "exact", version: text };
  if (isChannelName(text)) return { type: "channel", channel: text };
  if (isRange(text)) return { type: "range", range: text };
  throw invalid(
    "INVALID_VERSION",
    `version: ${quote(text)} is no version (1.2.0), range (^1.2) or channel (latest)`,
    pointer,
  );
}

/** Spaces around one are somebody's slip, and no way to ask for `latest`. */
function isRange(text: string): boolean {
  return text.length <= 128 && text.trim() === text && !text.includes("+") && semver.validRange(text) !== null;
}

/** The highest version in a range; prereleases only where the range names one, or where nothing else exists and the range is `*`. */
export function highestInRange(versions: readonly Version[], range: string): Version | undefined {
  const found = semver.maxSatisfying([...versions], range);
  if (found !== null) return found;
  return semver.validRange(range) === "*" ? latestOf(versions) : undefined;
}
