import { RegistryError } from "@registry/domain";
import type { PluginDocument } from "../model/plugin.ts";
import { releaseId } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import type { Candidate } from "./candidate.ts";

/** `staged`: the document holds the bytes' digest; `there`: these bytes are published; `again`: it changed meanwhile. */
export type Staging = "staged" | "there" | "again";

/**
 * Makes sure of a staged release with these bytes: from then on it is the reference that keeps them.
 * @throws `already_exists`, reasons `RELEASE_EXISTS` and `RELEASE_DELETED`
 * @throws `conflict` RELEASE_IN_PROGRESS while other bytes of the same version are being published
 * @throws `rejected`, reasons `TOO_MANY_RELEASES` and `TOO_MANY_CHANNELS`
 */
export async function stageRelease(parts: Parts, candidate: Candidate, plugin: PluginDocument): Promise<Staging> {
  const existing = await parts.releases.head(releaseId(candidate.name, candidate.version));
  if (existing === null || existing.state === "abandoned") return insert(parts, candidate, plugin);
  const sameBytes = existing.sha256 === candidate.sha256;
  switch (existing.state) {
    case "deleted":
      throw exists("RELEASE_DELETED", "This version was deleted and is not given out again; publish a higher one");
    case "published":
    case "yanked":
      if (sameBytes) return "there";
      throw otherBytes();
    case "quarantined":
      throw otherBytes();
    case "staged":
      if (sameBytes) return "staged";
      if (parts.clock.now().getTime() - existing.stagedAt.getTime() < parts.config.CATALOG_STAGED_SECONDS * 1000) {
        throw inProgress();
      }
      await parts.releases.abandon(existing._id, existing.stagedAt);
      return "again";
    default:
      return existing.state satisfies never;
  }
}

async function insert(parts: Parts, candidate: Candidate, plugin: PluginDocument): Promise<Staging> {
  await assertRoom(parts, candidate, plugin);
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

async function assertRoom(parts: Parts, candidate: Candidate, plugin: PluginDocument): Promise<void> {
  const { LIMIT_CHANNELS, LIMIT_RELEASES } = parts.config;
  const { channel } = candidate;
  if (
    channel !== undefined &&
    !Object.hasOwn(plugin.pins, channel) &&
    Object.keys(plugin.pins).length >= LIMIT_CHANNELS
  ) {
    throw tooManyChannels(LIMIT_CHANNELS);
  }
  if ((await parts.releases.count(candidate.name)) >= LIMIT_RELEASES) {
    const message = `A plugin may have up to ${LIMIT_RELEASES} releases; publish under another name`;
    throw new RegistryError("rejected", "TOO_MANY_RELEASES", message);
  }
}

export const tooManyChannels = (limit: number): RegistryError =>
  new RegistryError("rejected", "TOO_MANY_CHANNELS", `A plugin may have up to ${limit} channels; delete one first`);

const exists = (reason: string, message: string): RegistryError => new RegistryError("already_exists", reason, message);
const otherBytes = (): RegistryError =>
  exists("RELEASE_EXISTS", "This version exists with other content; versions never change, publish a higher one");
const inProgress = (): RegistryError =>
  new RegistryError("conflict", "RELEASE_IN_PROGRESS", "Other content is being published as this version; try later", {
    retryAfterSeconds: 5,
  });
