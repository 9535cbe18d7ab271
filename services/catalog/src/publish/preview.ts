import type { PublishReleaseResponse } from "@registry/contracts/catalog";
import type { CallContext } from "@registry/kit";
import { maySeeState } from "../model/access.ts";
import type { PluginDocument } from "../model/plugin.ts";
import { type ReleaseDocument, releaseId } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import { toFullRelease, toPlugin } from "../wire.ts";
import type { Candidate } from "./candidate.ts";
import { authoriseName, newClaim } from "./claim.ts";
import { judgeNewName } from "./near-miss.ts";
import { reviewOf, stagedOf } from "./promote.ts";
import { previewStage, releaseExists } from "./stage.ts";

/**
 * What a publish would come to, with nothing written.
 * @returns `created` false if the same bytes are there already
 * @throws what the publish would be refused with
 */
export async function previewRelease(
  parts: Parts,
  given: Candidate,
  context: CallContext,
): Promise<Pick<PublishReleaseResponse, "plugin" | "release" | "created">> {
  const { known, owner } = await authoriseName(parts, given, context);
  const candidate = known?.published ? given : judgeNewName(parts, given);
  const stands = await previewStage(parts, candidate, known);
  const plugin = known ?? newClaim(candidate, owner, 0, parts.clock.now());
  if (stands === "there") {
    const release = await parts.releases.full(releaseId(candidate.name, candidate.version));
    if (release !== null && !maySeeState(candidate.publisher, plugin, release)) throw releaseExists();
    if (release !== null) return { plugin: toPlugin(plugin), release: toFullRelease(release), created: false };
  }
  return {
    plugin: toPlugin(plugin, candidate.publisher),
    release: toFullRelease(wouldBe(parts, candidate, plugin)),
    created: true,
  };
}

function wouldBe(parts: Parts, candidate: Candidate, plugin: PluginDocument): ReleaseDocument {
  const now = parts.clock.now();
  const held = candidate.needsTests || candidate.verdict.outcome === "hold";
  return {
    ...candidate.package,
    ...stagedOf(parts, candidate),
    _id: releaseId(plugin._id, candidate.version),
    state: held ? "staged" : "published",
    downloads: 0,
    reason: "",
    revision: 0,
    uploadId: candidate.uploadId,
    stagedAt: now,
    ...(candidate.verdict.outcome === "hold" ? { review: reviewOf(candidate, now) } : {}),
  };
}
