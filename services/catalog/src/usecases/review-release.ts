import { ReviewDecision, type ReviewReleaseRequest, type ReviewReleaseResponse } from "@registry/contracts/catalog";
import {
  assertMove,
  type Caller,
  invalid,
  isAdmin,
  isLongerThan,
  permissionDenied,
  RegistryError,
} from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { isOwn, mayReview } from "../model/access.ts";
import { auditTarget, releaseFacts } from "../model/audit.ts";
import { nearMissRule } from "../model/checks.ts";
import type { PluginDocument } from "../model/plugin.ts";
import type { ReleaseDocument, ReleaseReview } from "../model/release.ts";
import { assertReason } from "../model/texts.ts";
import type { Parts } from "../parts.ts";
import { promoteWaiting } from "../publish/promote.ts";
import { toFullRelease, toPlugin } from "../wire.ts";
import { buryRelease } from "./bury.ts";
import { nameOf } from "./change-plugin.ts";
import { changeRelease, findRelease, type ReleaseEdit } from "./change-release.ts";
import { findPlugin } from "./find-plugin.ts";

/** Decides on a release that waits, or was quarantined, or takes a published one out of sight. */
export function reviewRelease(parts: Parts) {
  return async (request: ReviewReleaseRequest, context: CallContext): Promise<ReviewReleaseResponse> => {
    const plugin = await findPlugin(parts, request.name, context.caller);
    const release = await findRelease(parts, plugin, request.version, context.caller);
    context.audit(auditTarget(plugin, release.version));
    authorise(context.caller, plugin, release);
    const reason = readReviewReason(request.reason);
    const decision = request.decision.slice("REVIEW_DECISION_".length).toLowerCase();
    const note = {
      ...auditTarget(plugin, release.version),
      before: releaseFacts(release),
      after: { decision, reason },
    };
    context.audit(note);
    const answer = await carryOut(parts, plugin, release, { ...request, reason }, context);
    // The person's decision, rather than what of the release followed from it.
    context.audit(note);
    return answer;
  };
}

async function carryOut(
  parts: Parts,
  plugin: PluginDocument,
  release: ReleaseDocument,
  request: ReviewReleaseRequest,
  context: CallContext,
): Promise<ReviewReleaseResponse> {
  const { reason } = request;
  switch (request.decision) {
    case ReviewDecision.REVIEW_DECISION_RELEASE:
      if (release.state !== "staged") return restore(parts, release, request, context);
      await releaseStaged(parts, release, reviewBy(parts, release, context, reason));
      return settled(parts, release);
    case ReviewDecision.REVIEW_DECISION_REJECT:
      await reject(parts, plugin, release, reviewBy(parts, release, context, reason, "rejected"));
      return settled(parts, release);
    case ReviewDecision.REVIEW_DECISION_QUARANTINE:
      return quarantine(parts, request, context, reason);
    case ReviewDecision.REVIEW_DECISION_UNSPECIFIED:
    case ReviewDecision.UNRECOGNIZED:
      throw invalid("INVALID_DECISION", "decision: use release, reject or quarantine", "/decision");
    default:
      return request.decision satisfies never;
  }
}

/** Nobody decides on what is their own, but administrators, who answer for everything anyway. */
function authorise(caller: Caller, plugin: PluginDocument, release: ReleaseDocument): void {
  if (!mayReview(caller, plugin)) throw permissionDenied();
  const own = isOwn(caller, plugin) || (caller.type === "user" && caller.id === release.publishedById);
  if (!own || isAdmin(caller)) return;
  throw new RegistryError(
    "permission_denied",
    "OWN_RELEASE",
    "Permission denied: another reviewer decides on your own release",
  );
}

/** @throws `invalid_argument` INVALID_REASON */
function readReviewReason(reason: string): string {
  assertReason(reason);
  if (reason.trim() !== "" && !isLongerThan(reason, 500)) return reason;
  throw invalid("INVALID_REASON", "reason: say why in 1 to 500 characters; the owner reads it", "/reason");
}

function reviewBy(
  parts: Parts,
  release: ReleaseDocument,
  { caller }: CallContext,
  reason: string,
  state: "released" | "rejected" = "released",
): ReleaseReview {
  const at = parts.clock.now();
  const { reasons = [], requestedAt = at } = release.review ?? {};
  return { state, reasons, requestedAt, by: nameOf(caller), reason, at };
}

async function releaseStaged(parts: Parts, release: ReleaseDocument, review: ReleaseReview): Promise<void> {
  const { waiting } = release;
  if (waiting === undefined) throw invalidState("is being published at this moment; wait until that is done");
  if (waiting === "tests") throw invalidState("waits for its tests; decide once they have ended, or reject it");
  if (await parts.releases.byDigest.isBurnt(release.sha256, release.plugin, release._id)) {
    throw invalidState("has the very bytes of one that was rejected or quarantined; decide about that one first");
  }
  await promoteWaiting(parts, release, waiting, review);
}

async function reject(
  parts: Parts,
  plugin: PluginDocument,
  release: ReleaseDocument,
  review: ReleaseReview,
): Promise<void> {
  const held = release.state === "quarantined" || (release.state === "staged" && release.waiting !== undefined);
  if (!held) throw invalidState(`is ${release.state}; quarantine it first, or delete it`);
  const deletion = { by: review.by ?? "", reason: review.reason ?? "", review, burnsBytes: isAboutBytes(release) };
  if (!(await buryRelease(parts, plugin, release, deletion))) throw invalidState("changed meanwhile; look at it again");
}

/** Where nothing but the name was in question, the same bytes may be published under another. */
function isAboutBytes({ state, review }: ReleaseDocument): boolean {
  const reasons = review?.reasons ?? [];
  const nameOnly = reasons.length > 0 && reasons.every((reason) => reason.startsWith(`${nearMissRule}:`));
  return state === "quarantined" || !nameOnly;
}

function quarantine(parts: Parts, { name, version }: ReviewReleaseRequest, context: CallContext, reason: string) {
  return changeRelease(parts, name, version, context, (plugin, found): ReleaseEdit | undefined => {
    authorise(context.caller, plugin, found);
    const { state } = found;
    if (state === "quarantined" && found.reason === reason) return undefined;
    if (state === "quarantined") return { set: { reason } };
    if (state !== "published" && state !== "yanked") throw invalidState(`is ${state} and hidden already`);
    assertMove(state, "quarantined");
    return {
      set: { state: "quarantined", reason, quarantinedFrom: { state, reason: found.reason } },
      event: (_plugin, revision) =>
        parts.events.make("registry.catalog.release.quarantined", plugin._id, {
          plugin: plugin._id,
          version,
          quarantinedBy: nameOf(context.caller),
          revision,
        }),
    };
  });
}

/** Back to what it was before it was quarantined. */
async function restore(parts: Parts, release: ReleaseDocument, request: ReviewReleaseRequest, context: CallContext) {
  const { name, version, reason } = request;
  if (await parts.releases.byDigest.isRejected(release.sha256)) {
    throw invalidState("has the very bytes of one that was rejected; reject it as well");
  }
  return changeRelease(parts, name, version, context, (plugin, found): ReleaseEdit => {
    authorise(context.caller, plugin, found);
    if (found.state !== "quarantined") throw invalidState(`is ${found.state} and needs no release`);
    const before = found.quarantinedFrom ?? { state: "published", reason: "" };
    assertMove("quarantined", before.state);
    return {
      set: { ...before, review: reviewBy(parts, found, context, reason) },
      unset: ["quarantinedFrom"],
      event: ({ visibility }, revision) =>
        parts.events.make("registry.catalog.release.restored", plugin._id, {
          plugin: plugin._id,
          version,
          restoredBy: nameOf(context.caller),
          publishedAt: found.publishedAt,
          publishedBy: found.publishedBy,
          visibility,
          revision,
        }),
    };
  });
}

async function settled(parts: Parts, { plugin: name, _id }: ReleaseDocument): Promise<ReviewReleaseResponse> {
  // A rejected release that nobody ever saw leaves the plugin as it was, but its owner is to see it gone.
  await parts.plugins.stamp(name);
  const plugin = await parts.projector.project(name);
  parts.kick();
  const release = await parts.releases.full(_id);
  return {
    plugin: plugin === null ? undefined : toPlugin(plugin),
    release: release === null ? undefined : toFullRelease(release),
  };
}

const invalidState = (why: string): RegistryError =>
  new RegistryError("conflict", "INVALID_STATE", `The release ${why}`);
