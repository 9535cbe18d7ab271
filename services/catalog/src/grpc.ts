import { CatalogServiceDefinition } from "@registry/contracts/catalog";
import { defineService, holdersOf, readers, type Service, type ServiceTable, services, users } from "@registry/kit";
import type { Parts } from "./parts.ts";
import { deleteChannel } from "./usecases/delete-channel.ts";
import { deletePlugin } from "./usecases/delete-plugin.ts";
import { deleteRelease } from "./usecases/delete-release.ts";
import { deprecate, undeprecate } from "./usecases/deprecate.ts";
import { filterReferenced } from "./usecases/filter-referenced.ts";
import { getPlugin } from "./usecases/get-plugin.ts";
import { getRegistryInfo } from "./usecases/get-registry-info.ts";
import { getRelease } from "./usecases/get-release.ts";
import { listOwners } from "./usecases/list-owners.ts";
import { listPlugins } from "./usecases/list-plugins.ts";
import { listReleases } from "./usecases/list-releases.ts";
import { listReviews } from "./usecases/list-reviews.ts";
import { publishRelease } from "./usecases/publish-release.ts";
import { removeCollaborator } from "./usecases/remove-collaborator.ts";
import { resolveDownload } from "./usecases/resolve-download.ts";
import { reviewRelease } from "./usecases/review-release.ts";
import { searchPlugins } from "./usecases/search-plugins.ts";
import { setChannel } from "./usecases/set-channel.ts";
import { setCollaborator } from "./usecases/set-collaborator.ts";
import { transferPlugin } from "./usecases/transfer-plugin.ts";
import { updatePlugin } from "./usecases/update-plugin.ts";
import { unyankRelease, yankRelease } from "./usecases/yank-release.ts";

/** What needs more than a credential is decided where the plugin is known: not to see it is not to know of it. */
export function catalogTable(parts: Parts, checks: Service["checks"]): ServiceTable {
  return defineService(CatalogServiceDefinition, {
    getRegistryInfo: { allow: readers, handle: getRegistryInfo(parts) },
    getPlugin: { allow: readers, handle: getPlugin(parts) },
    listPlugins: { allow: readers, handle: listPlugins(parts) },
    searchPlugins: { allow: readers, handle: searchPlugins(parts) },
    getRelease: { allow: readers, handle: getRelease(parts) },
    listReleases: { allow: readers, handle: listReleases(parts) },
    resolveDownload: { allow: readers, handle: resolveDownload(parts) },
    // Denied inside, where the upload is dropped as well.
    publishRelease: { allow: users, handle: publishRelease(parts) },
    updatePlugin: { allow: users, handle: updatePlugin(parts) },
    deletePlugin: { allow: users, handle: deletePlugin(parts) },
    deleteRelease: { allow: users, handle: deleteRelease(parts) },
    // Who may is decided where the plugin is known, as everywhere here.
    yankRelease: { allow: users, handle: yankRelease(parts) },
    unyankRelease: { allow: users, handle: unyankRelease(parts) },
    deprecate: { allow: users, handle: deprecate(parts) },
    undeprecate: { allow: users, handle: undeprecate(parts) },
    reviewRelease: { allow: users, handle: reviewRelease(parts) },
    listReviews: { allow: holdersOf("review"), handle: listReviews(parts) },
    listOwners: { allow: users, handle: listOwners(parts) },
    setCollaborator: {
      allow: users,
      handle: setCollaborator(parts),
      audit: ({ name }) => ({ action: "plugin.owner.set", target: name }),
    },
    removeCollaborator: {
      allow: users,
      handle: removeCollaborator(parts),
      audit: ({ name }) => ({ action: "plugin.owner.remove", target: name }),
    },
    transferPlugin: {
      allow: users,
      handle: transferPlugin(parts),
      audit: ({ name }) => ({ action: "plugin.transfer", target: name }),
    },
    setChannel: { allow: users, handle: setChannel(parts) },
    deleteChannel: { allow: users, handle: deleteChannel(parts) },
    filterReferenced: { allow: services("storage"), handle: filterReferenced(parts) },
    watchChanges: {
      allow: services("gateway"),
      handle: (_request, { signal }) => parts.changes.watch(signal),
      maxDurationMs: 0,
    },
    check: { allow: services("gateway"), handle: async () => ({ checks: await checks() }) },
  });
}
