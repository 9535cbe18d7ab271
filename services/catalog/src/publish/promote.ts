import { RegistryError } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { checksOf, reasonsOf } from "../model/checks.ts";
import type { PluginDocument } from "../model/plugin.ts";
import { type ReleaseDocument, type ReleaseReview, releaseId, type Waiting } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import type { Candidate } from "./candidate.ts";

/** Makes sure that the bytes are where downloads find them. Idempotent. */
export async function commitBytes(parts: Parts, candidate: Candidate, context: CallContext): Promise<void> {
  const request = { uploadId: candidate.uploadId };
  await parts.storage().commitUpload(request, { context, as: "service", timeoutMs: 50_000 });
}

/** A staged release as far as its publication needs to know it. */
export type Staged = Pick<
  ReleaseDocument,
  "plugin" | "version" | "sha256" | "size" | "publishedBy" | "publishedById" | "described" | "checks"
>;

export function stagedOf(parts: Parts, candidate: Candidate): Staged {
  const { name, version, sha256, publisher } = candidate;
  return {
    ...candidate.package,
    plugin: name,
    version,
    sha256,
    publishedBy: publisher.username,
    publishedById: publisher.id,
    checks: checksOfCandidate(parts, candidate),
  };
}

function checksOfCandidate(parts: Parts, candidate: Candidate) {
  const { container, format, content } = candidate.package;
  const described = { container, format, files: content.files.length, needsTests: candidate.needsTests };
  return checksOf(candidate.verdict, described, parts.clock.now());
}

/**
 * Makes the staged release visible, with the event that tells of it, in one write.
 * @param plugin with the revision reserved for this release as its sequence
 * @param waiting what the release waits for at the moment
 * @returns false if it is no longer staged with these bytes, or waits for something else
 */
export async function promote(
  parts: Parts,
  staged: Staged,
  plugin: PluginDocument,
  waiting?: Waiting,
  review?: ReleaseReview,
): Promise<boolean> {
  const { version, sha256, publishedBy, publishedById, checks = [] } = staged;
  const publishedAt = parts.clock.now();
  const revision = plugin.sequence;
  const event = parts.events.make("registry.catalog.release.published", staged.plugin, {
    plugin: staged.plugin,
    version,
    sha256,
    size: staged.size,
    kind: staged.described?.kind ?? "",
    visibility: plugin.visibility,
    publishedBy,
    publishedById,
    publishedAt,
    revision,
  });
  const published = { publishedAt, publishedBy, publishedById, revision, checks, ...(review && { review }) };
  return parts.releases.promote({ _id: releaseId(staged.plugin, version), sha256 }, waiting, published, event);
}

/** As `promote` for a release that waits, with the reservation that it needs. @throws `conflict` INVALID_STATE */
export async function promoteWaiting(
  parts: Parts,
  staged: Staged,
  waiting: Waiting,
  review?: ReleaseReview,
): Promise<void> {
  const plugin = await parts.plugins.reserve(staged.plugin);
  if (plugin !== null && (await promote(parts, staged, plugin, waiting, review))) return;
  throw new RegistryError("conflict", "INVALID_STATE", "The release changed meanwhile; look at it again");
}

/** The question to a reviewer. */
export function reviewOf({ verdict }: Pick<Candidate, "verdict">, now: Date): ReleaseReview {
  return { state: "pending", reasons: reasonsOf(verdict), requestedAt: now };
}

/** Leaves the release staged until its tests have passed or a person has decided. @returns false as `promote` does */
export function hold(parts: Parts, candidate: Candidate): Promise<boolean> {
  const { name, version, sha256, verdict, needsTests } = candidate;
  const now = parts.clock.now();
  return parts.releases.waiting.hold(
    { _id: releaseId(name, version), sha256 },
    {
      waiting: needsTests ? "tests" : "review",
      waitingSince: now,
      checks: checksOfCandidate(parts, candidate),
      content: candidate.package.content,
      ...(verdict.outcome === "hold" ? { review: reviewOf(candidate, now) } : {}),
    },
  );
}
