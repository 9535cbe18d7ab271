import type { PublishReleaseRequest, PublishReleaseResponse } from "@registry/contracts/catalog";
import { permissionDenied, pluginNotFound } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import type { PluginDocument } from "../model/plugin.ts";
import { releaseId } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import { type Candidate, type Publisher, readCandidate } from "../publish/candidate.ts";
import { claimName } from "../publish/claim.ts";
import { commitBytes, promote } from "../publish/promote.ts";
import { stageRelease } from "../publish/stage.ts";
import { dropUpload, takeBack, takeUpload, uploadNotFound } from "../publish/upload.ts";
import { untilWritten } from "../retry.ts";
import { toPlugin, toRelease } from "../wire.ts";

type Answer = Pick<PublishReleaseResponse, "plugin" | "release" | "created">;

/** Makes an upload a release, or leaves nothing behind. The same bytes again are a success that changes nothing. */
export function publishRelease(parts: Parts) {
  return async (request: PublishReleaseRequest, context: CallContext): Promise<Answer> => {
    const { caller } = context;
    if (caller.type !== "user") throw permissionDenied();
    const upload = await takeUpload(parts, request.uploadId, caller, context);
    if (upload === undefined) return finishedBefore(parts, request.uploadId, caller);
    try {
      const candidate = readCandidate(upload, request, caller);
      const created = await settle(parts, candidate, context);
      if (!created) await dropUpload(parts, upload.id);
      return await answer(parts, candidate, created);
    } catch (error) {
      await dropUpload(parts, upload.id);
      throw error;
    } finally {
      parts.kick();
    }
  };
}

/** @returns whether this call made the release visible */
async function settle(parts: Parts, candidate: Candidate, context: CallContext): Promise<boolean> {
  try {
    return await untilWritten(async () => {
      context.signal.throwIfAborted();
      const plugin = await claimName(parts, candidate);
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
  candidate: Candidate,
  plugin: PluginDocument,
  context: CallContext,
): Promise<boolean | undefined> {
  const staging = await stageRelease(parts, candidate, plugin);
  if (staging === "again") return undefined;
  if (staging === "there") return false;
  const reserved = await parts.plugins.reserve(candidate.name, plugin.ownerId);
  if (reserved === null) {
    await parts.releases.dropStaged(releaseId(candidate.name, candidate.version), candidate.uploadId);
    return undefined;
  }
  await commitBytes(parts, candidate, context);
  return (await promote(parts, candidate, reserved)) ? true : undefined;
}

async function answer(parts: Parts, candidate: Candidate, created: boolean): Promise<Answer> {
  const plugin = await parts.projector.project(candidate.name);
  const release = await parts.releases.full(releaseId(candidate.name, candidate.version));
  if (plugin === null || release === null) throw pluginNotFound();
  return { plugin: toPlugin(plugin), release: toRelease(release), created };
}

/** The upload is used up: by this very request, whose answer was lost? */
async function finishedBefore(parts: Parts, uploadId: string, publisher: Publisher): Promise<Answer> {
  const release = uploadId === "" ? null : await parts.releases.byUpload(uploadId);
  if (release === null || release.publishedById !== publisher.id) throw uploadNotFound();
  const plugin = await parts.projector.project(release.plugin);
  if (plugin === null) throw uploadNotFound();
  return { plugin: toPlugin(plugin), release: toRelease(release), created: false };
}
