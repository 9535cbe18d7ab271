import { CatalogServiceDefinition, DependentsServiceDefinition } from "@registry/contracts/catalog";
import { defineService, holdersOf, readers, type Service, type ServiceTable, services, users } from "@registry/kit";
import { named } from "./model/audit.ts";
import type { Parts } from "./parts.ts";
import { counted } from "./publish/outcomes.ts";
import { canPublish } from "./usecases/can-publish.ts";
import { deleteChannel } from "./usecases/delete-channel.ts";
import { deletePlugin } from "./usecases/delete-plugin.ts";
import { deleteRelease } from "./usecases/delete-release.ts";
import { deprecate, undeprecate } from "./usecases/deprecate.ts";
import { filterReferenced } from "./usecases/filter-referenced.ts";
import { filterVisible } from "./usecases/filter-visible.ts";
import { getPlugin } from "./usecases/get-plugin.ts";
import { getRegistryInfo } from "./usecases/get-registry-info.ts";
import { getRelease } from "./usecases/get-release.ts";
import { listDependents } from "./usecases/list-dependents.ts";
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

/** Of a plugin, or of one of its releases, as the request names it. */
const of =
  (action: string) =>
  ({ name, version = "" }: { readonly name: string; readonly version?: string }) => ({
    action,
    ...named(name, version),
  });

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
    publishRelease: {
      allow: users,
      handle: counted(parts, publishRelease(parts)),
      audit: ({ expectedName: name, expectedVersion: version }) => ({
        action: "release.publish",
        ...named(name, version),
      }),
    },
    updatePlugin: { allow: users, handle: updatePlugin(parts), audit: of("plugin.update") },
    deletePlugin: { allow: users, handle: deletePlugin(parts), audit: of("plugin.delete") },
    deleteRelease: { allow: users, handle: deleteRelease(parts), audit: of("release.delete") },
    // Who may is decided where the plugin is known, as everywhere here.
    yankRelease: { allow: users, handle: yankRelease(parts), audit: of("release.yank") },
    unyankRelease: { allow: users, handle: unyankRelease(parts), audit: of("release.unyank") },
    deprecate: { allow: users, handle: deprecate(parts), audit: of("plugin.deprecate") },
    undeprecate: { allow: users, handle: undeprecate(parts), audit: of("plugin.undeprecate") },
    reviewRelease: { allow: users, handle: reviewRelease(parts), audit: of("release.review") },
    listReviews: { allow: holdersOf("review"), handle: listReviews(parts) },
    canPublish: { allow: users, handle: canPublish(parts) },
    listOwners: { allow: users, handle: listOwners(parts) },
    setCollaborator: {
      allow: users,
      handle: setCollaborator(parts),
      audit: of("plugin.owner.set"),
    },
    removeCollaborator: {
      allow: users,
      handle: removeCollaborator(parts),
      audit: of("plugin.owner.remove"),
    },
    transferPlugin: {
      allow: users,
      handle: transferPlugin(parts),
      audit: of("plugin.transfer"),
    },
    setChannel: { allow: users, handle: setChannel(parts), audit: ({ name }) => of("channel.set")({ name }) },
    deleteChannel: { allow: users, handle: deleteChannel(parts), audit: of("channel.delete") },
    filterReferenced: { allow: services("storage"), handle: filterReferenced(parts) },
    // Of direct callers it is asked nothing, which is decided inside, where it is known who passed the call on.
    filterVisible: { allow: readers, handle: filterVisible(parts) },
    watchChanges: {
      allow: services("gateway"),
      handle: (_request, { signal }) => parts.changes.watch(signal),
      maxDurationMs: 0,
    },
    check: { allow: services("gateway"), handle: async () => ({ checks: await checks() }) },
  });
}

export function dependentsTable(parts: Parts): ServiceTable {
  return defineService(DependentsServiceDefinition, {
    listDependents: { allow: readers, handle: listDependents(parts) },
  });
}
