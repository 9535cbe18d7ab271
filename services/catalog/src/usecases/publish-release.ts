import type { PublishReleaseRequest, PublishReleaseResponse } from "@registry/contracts/catalog";
import { permissionDenied, pluginNotFound } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { maySee, maySeeState } from "../model/access.ts";
import { auditTarget, named } from "../model/audit.ts";
import type { PluginDocument } from "../model/plugin.ts";
import { releaseId } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import { type Candidate, type Publisher, readCandidate } from "../publish/candidate.ts";
import { claimName } from "../publish/claim.ts";
import { judgeNewName } from "../publish/near-miss.ts";
import { previewRelease } from "../publish/preview.ts";
import { commitBytes, hold, promote, stagedOf } from "../publish/promote.ts";
import { releaseExists, stageRelease } from "../publish/stage.ts";
import { dropUpload, takeBack, takeUpload, uploadNotFound } from "../publish/upload.ts";
import { untilWritten } from "../retry.ts";
import { toFullRelease, toPlugin } from "../wire.ts";

type Answer = Pick<PublishReleaseResponse, "plugin" | "release" | "created">;

/** `held`: it waits for its tests or a reviewer; `there`: these bytes were known already. */
type Outcome = "published" | "held" | "there";

/** Makes an upload a release, or leaves nothing behind. The same bytes again are a success that changes nothing. */
export function publishRelease(parts: Parts) {
  return async (request: PublishReleaseRequest, context: CallContext): Promise<Answer> => {
    const { caller } = context;
    if (caller.type !== "user") throw permissionDenied();
    const upload = await takeUpload(parts, request.uploadId, caller, context);
    if (upload === undefined) {
      context.audit({ unchanged: true });
      return finishedBefore(parts, request.uploadId, caller);
    }
    try {
      const rate = { limit: parts.config.RATE_LIMIT_PUBLISHES, windowSeconds: 3600 };
      await parts.limits.demand("publish", String(caller.id), rate);
      const candidate = readCandidate(upload, request, caller, parts.policy);
      const { name, version, sha256 } = candidate;
      context.audit({ ...named(name, version), after: { sha256 }, unchanged: request.dryRun });
      if (request.dryRun) {
        const preview = await previewRelease(parts, candidate, context);
        await dropUpload(parts, upload.id);
        return preview;
      }
      const outcome = await settle(parts, candidate, context);
      context.audit({ unchanged: outcome === "there" });
      if (outcome === "there") await dropUpload(parts, upload.id);
      return await answer(parts, candidate, outcome, context);
    } catch (error) {
      await dropUpload(parts, upload.id);
      throw error;
    } finally {
      parts.kick();
    }
  };
}

async function settle(parts: Parts, candidate: Candidate, context: CallContext): Promise<Outcome> {
  try {
    return await untilWritten(async () => {
      context.signal.throwIfAborted();
      const plugin = await claimName(parts, candidate, context);
      return plugin === undefined ? undefined : attempt(parts, candidate, plugin, context);
    });
  } catch (error) {
    await takeBack(parts, candidate);
    throw error;
  }
}

/** @returns undefined where something changed in between and it has to be looked at anew */
async function attempt(
  parts: Parts,
  given: Candidate,
  plugin: PluginDocument,
  context: CallContext,
): Promise<Outcome | undefined> {
  const candidate = plugin.published ? given : judgeNewName(parts, given);
  const staging = await stageRelease(parts, candidate, plugin);
  if (staging === "again") return undefined;
  if (staging === "there") return "there";
  const reserved = await parts.plugins.reserve(candidate.name, plugin);
  if (reserved === null) {
    await parts.releases.dropStaged(releaseId(candidate.name, candidate.version), candidate.uploadId);
    return undefined;
  }
  await commitBytes(parts, candidate, context);
  if (candidate.needsTests || candidate.verdict.outcome === "hold") {
    // Others see no change by it, but from now on its publisher is to find it.
    await parts.plugins.stamp(candidate.name);
    return (await hold(parts, candidate)) ? "held" : undefined;
  }
  return (await promote(parts, stagedOf(parts, candidate), reserved)) ? "published" : undefined;
}

async function answer(parts: Parts, candidate: Candidate, outcome: Outcome, context: CallContext): Promise<Answer> {
  const plugin = await parts.projector.project(candidate.name);
  const release = await parts.releases.full(releaseId(candidate.name, candidate.version));
  if (plugin === null || release === null) throw pluginNotFound();
  const { state, sha256, size } = release;
  const after = { state, sha256, size, channel: candidate.channel, visibility: plugin.visibility };
  context.audit({ ...auditTarget(plugin, release.version), after });
  // These very bytes are there, but the caller is not to know in which state.
  if (!maySeeState(candidate.publisher, plugin, release)) throw releaseExists();
  if (release.waiting === "tests") parts.kickTests();
  return {
    plugin: toPlugin(plugin, candidate.publisher),
    release: toFullRelease(release),
    created: outcome !== "there",
  };
}

/** The upload is used up: by this very request, whose answer was lost? */
async function finishedBefore(parts: Parts, uploadId: string, publisher: Publisher): Promise<Answer> {
  const release = uploadId === "" ? null : await parts.releases.byUpload(uploadId);
  if (release === null || release.publishedById !== publisher.id) throw uploadNotFound();
  const plugin = await parts.projector.project(release.plugin);
  // It may have been long ago, and the publisher have lost every right since.
  const isSeen = plugin !== null && maySee(publisher, plugin) && maySeeState(publisher, plugin, release);
  if (!isSeen) throw uploadNotFound();
  return { plugin: toPlugin(plugin), release: toFullRelease(release), created: false };
}
