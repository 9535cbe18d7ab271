import type { CallContext } from "@registry/kit";
import type { PluginDocument } from "../model/plugin.ts";
import { releaseId } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import type { Candidate } from "./candidate.ts";

/** Makes sure that the bytes are where downloads find them. Idempotent. */
export async function commitBytes(parts: Parts, candidate: Candidate, context: CallContext): Promise<void> {
  const request = { uploadId: candidate.uploadId };
  await parts.storage().commitUpload(request, { context, as: "service", timeoutMs: 50_000 });
}

/**
 * Makes the staged release visible, with the event that tells of it, in one write.
 * @param plugin with the revision reserved for this release as its sequence
 * @returns false if it is no longer staged with these bytes
 */
export async function promote(parts: Parts, candidate: Candidate, plugin: PluginDocument): Promise<boolean> {
  const { name, version, sha256, publisher } = candidate;
  const publishedAt = parts.clock.now();
  const revision = plugin.sequence;
  const event = parts.events.make("registry.catalog.release.published", name, {
    plugin: name,
    version,
    sha256,
    size: candidate.package.size,
    kind: candidate.package.described?.kind ?? "",
    visibility: plugin.visibility,
    publishedBy: publisher.username,
    publishedById: publisher.id,
    publishedAt,
    revision,
  });
  const published = { publishedAt, publishedBy: publisher.username, publishedById: publisher.id, revision };
  return parts.releases.promote({ _id: releaseId(name, version), sha256 }, published, event);
}
