import { describe } from "vitest";
import { missingFor, type StackKind } from "../stack/index.ts";
import { accessStories } from "./stories/access.ts";
import { accountStories } from "./stories/accounts.ts";
import { auditStories } from "./stories/audit.ts";
import { clientStories } from "./stories/client.ts";
import { deletionStories } from "./stories/deletion.ts";
import { downloadStories } from "./stories/download.ts";
import { errorStories } from "./stories/errors.ts";
import { grpcStories } from "./stories/grpc.ts";
import { operationStories } from "./stories/operation.ts";
import { organisationStories } from "./stories/organisations.ts";
import { ownershipStories } from "./stories/ownership.ts";
import { publishStories } from "./stories/publish.ts";
import { rebuildStories } from "./stories/rebuild.ts";
import { refusalStories } from "./stories/refusals.ts";
import { rehearsalStories } from "./stories/rehearsal.ts";
import { restartStories } from "./stories/restart.ts";
import { reviewStories } from "./stories/review.ts";
import { tokenStories } from "./stories/tokens.ts";
import { usageStories } from "./stories/usage.ts";
import { verdictStories } from "./stories/verdicts.ts";
import { versionStories } from "./stories/versions.ts";
import { receiverSettings, webhookStories } from "./stories/webhooks.ts";
import { withdrawalStories } from "./stories/withdrawal.ts";
import { createWorld } from "./world.ts";

/** Small, so that what is too large costs little. */
export const packageLimit = 1024 * 1024;

/** Few, so that a plugin is much used soon. */
const popularDownloads = 5;

/** Tells every story in one setting. The last ones stop and start all processes. */
export function tellStories(kind: StackKind): void {
  describe.skipIf(missingFor(kind))(`the registry, ${kind}`, () => {
    const world = createWorld(kind, {
      LIMIT_PACKAGE_BYTES: String(packageLimit),
      POLICY_POPULAR_DOWNLOADS: String(popularDownloads),
      ...receiverSettings,
    });
    publishStories(world);
    downloadStories(world);
    clientStories(world);
    versionStories(world);
    refusalStories(world, packageLimit);
    deletionStories(world);
    reviewStories(world);
    withdrawalStories(world);
    rehearsalStories(world, popularDownloads);
    verdictStories(world, packageLimit);
    accessStories(world);
    accountStories(world);
    organisationStories(world);
    ownershipStories(world);
    tokenStories(world);
    auditStories(world);
    errorStories(world);
    operationStories(world);
    grpcStories(world);
    usageStories(world);
    webhookStories(world);
    rebuildStories(world);
    restartStories(world);
  });
}
