import { RegistryError } from "@registry/domain";
import type { PluginDocument } from "../model/plugin.ts";
import { type ReleaseHead, releaseId } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import type { Candidate } from "./candidate.ts";

/** `staged`: the document holds the bytes' digest; `there`: these bytes are known already; `again`: it changed meanwhile. */
export type Staging = "staged" | "there" | "again";

/** What stands in the way of a release: nothing, the same bytes, or an unfinished publish that may be replaced. */
type Place = "free" | "there" | "staged" | "replaceable";

/**
 * Makes sure of a staged release with these bytes: from then on it is the reference that keeps them.
 * @throws as `placeOf`, and `rejected`, reasons `TOO_MANY_RELEASES` and `TOO_MANY_CHANNELS`
 */
export async function stageRelease(parts: Parts, candidate: Candidate, plugin: PluginDocument): Promise<Staging> {
  const existing = await parts.releases.head(releaseId(candidate.name, candidate.version));
  const place = placeOf(parts, candidate, existing);
  switch (place) {
    case "there":
    case "staged":
      return place;
    case "replaceable":
      if (existing !== null) await parts.releases.abandon(existing);
      return "again";
    case "free":
      await assertRoom(parts, candidate, plugin);
      return insert(parts, candidate);
    default:
      return place satisfies never;
  }
}

/**
 * What a publish of this candidate would meet, without writing anything.
 * @param plugin null where the name is new
 * @throws as `stageRelease`
 */
export async function previewStage(
  parts: Parts,
  candidate: Candidate,
  plugin: PluginDocument | null,
): Promise<"new" | "there"> {
  const existing = await parts.releases.head(releaseId(candidate.name, candidate.version));
  const place = placeOf(parts, candidate, existing);
  if (place === "there") return "there";
  await assertRoom(parts, candidate, plugin);
  return "new";
}

type Existing = (ReleaseHead & { readonly stagedAt: Date }) | null;

/**
 * @throws `already_exists`, reasons `RELEASE_EXISTS` and `RELEASE_DELETED`
 * @throws `conflict`, reasons `RELEASE_IN_PROGRESS` and `RELEASE_IN_REVIEW` while other bytes of the version wait
 */
function placeOf(parts: Parts, candidate: Candidate, existing: Existing): Place {
  if (existing === null || existing.state === "abandoned") return "free";
  const sameBytes = existing.sha256 === candidate.sha256;
  switch (existing.state) {
    case "deleted":
      throw exists("RELEASE_DELETED", "This version was deleted and is not given out again; publish a higher one");
    case "published":
    case "yanked":
    case "quarantined":
      if (sameBytes) return "there";
      throw releaseExists();
    case "staged":
      return stagedPlace(parts, sameBytes, existing);
    default:
      return existing.state satisfies never;
  }
}

function stagedPlace(parts: Parts, sameBytes: boolean, existing: NonNullable<Existing>): Place {
  switch (existing.waiting) {
    case "review":
    case "tests":
      if (sameBytes) return "there";
      throw inReview();
    // Its tests failed: nobody but its publisher ever saw it.
    case "mending":
      return "replaceable";
    case undefined:
      if (sameBytes) return "staged";
      if (parts.clock.now().getTime() - existing.stagedAt.getTime() < parts.config.CATALOG_STAGED_SECONDS * 1000) {
        throw inProgress();
      }
      return "replaceable";
    default:
      return existing.waiting satisfies never;
  }
}

async function insert(parts: Parts, candidate: Candidate): Promise<Staging> {
  const { name, version, sha256, uploadId, publisher, channel } = candidate;
  const inserted = await parts.releases.stage({
    ...candidate.package,
    _id: releaseId(name, version),
    plugin: name,
    version,
    sha256,
    state: "staged",
    publishedBy: publisher.username,
    publishedById: publisher.id,
    downloads: 0,
    reason: "",
    revision: 0,
    uploadId,
    stagedAt: parts.clock.now(),
    ...(channel === undefined ? {} : { channel }),
  });
  return inserted ? "staged" : "again";
}

async function assertRoom(parts: Parts, candidate: Candidate, plugin: PluginDocument | null): Promise<void> {
  const { LIMIT_CHANNELS, LIMIT_RELEASES } = parts.config;
  const { channel, name, version, sha256 } = candidate;
  const pins = plugin?.pins ?? {};
  if (channel !== undefined && !Object.hasOwn(pins, channel) && Object.keys(pins).length >= LIMIT_CHANNELS) {
    throw tooManyChannels(LIMIT_CHANNELS);
  }
  if ((await parts.releases.count(name)) >= LIMIT_RELEASES) {
    const message = `A plugin may have up to ${LIMIT_RELEASES} releases; publish under another name`;
    throw new RegistryError("rejected", "TOO_MANY_RELEASES", message);
  }
  if (await parts.releases.byDigest.isBurnt(sha256, name, releaseId(name, version))) {
    const message =
      "These very bytes were rejected, quarantined or deleted before; they are not taken under another name or version";
    throw exists("CONTENT_BURNT", message);
  }
}

export const tooManyChannels = (limit: number): RegistryError =>
  new RegistryError("rejected", "TOO_MANY_CHANNELS", `A plugin may have up to ${limit} channels; delete one first`);

/** Also where the caller may not know more of it. */
export const releaseExists = (): RegistryError =>
  exists("RELEASE_EXISTS", "This version exists with other content; versions never change, publish a higher one");
const exists = (reason: string, message: string): RegistryError => new RegistryError("already_exists", reason, message);
const inProgress = (): RegistryError =>
  new RegistryError("conflict", "RELEASE_IN_PROGRESS", "Other content is being published as this version; try later", {
    retryAfterSeconds: 5,
  });
const inReview = (): RegistryError =>
  new RegistryError(
    "conflict",
    "RELEASE_IN_REVIEW",
    "Other content of this version waits for its tests or a reviewer; publish a higher version, or delete this one",
  );
