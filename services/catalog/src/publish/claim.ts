import { DuplicateKeyError } from "@registry/documents";
import { may, type PluginName, permissionDenied, RegistryError, skeletonOf } from "@registry/domain";
import { mayPublishTo, maySee } from "../model/access.ts";
import { nothingDescribed } from "../model/descriptive.ts";
import type { PluginDocument } from "../model/plugin.ts";
import type { Parts } from "../parts.ts";
import type { Candidate } from "./candidate.ts";

type ClaimParts = Pick<Parts, "plugins" | "releases" | "clock">;

/**
 * @returns the plugin of that name, or null where the publisher may take it
 * @throws as `claimName`
 */
export async function authoriseName(
  parts: Pick<Parts, "plugins">,
  { name, publisher }: Pick<Candidate, "name" | "publisher">,
): Promise<PluginDocument | null> {
  if (!may(publisher, "publish", name)) throw permissionDenied();
  const known = await parts.plugins.get(name);
  if (known !== null) {
    if (!mayPublishTo(publisher, known)) throw permissionDenied();
    return known;
  }
  const similar = await parts.plugins.bySkeleton(skeletonOf(name));
  if (similar !== null && similar._id !== name) throw tooSimilar(publisher, similar);
  return null;
}

/**
 * Authorises the name that will be written. A new one is claimed for the publisher: one insert decides who gets it.
 * @returns the plugin, or undefined where the name changed hands meanwhile
 * @throws `permission_denied`, also where the publisher may not know that the name is taken
 * @throws `rejected` NAME_TOO_SIMILAR
 */
export async function claimName(parts: ClaimParts, candidate: Candidate): Promise<PluginDocument | undefined> {
  const known = await authoriseName(parts, candidate);
  if (known !== null) return known;
  const claim = newClaim(candidate, await parts.plugins.nextId(), parts.clock.now());
  try {
    await parts.plugins.collection.insertOne(claim);
    return claim;
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    return undefined;
  }
}

/** A plugin as it is before its first release is seen. */
export function newClaim(candidate: Candidate, id: number, now: Date): PluginDocument {
  const { name, publisher, visibility } = candidate;
  return {
    ...(candidate.package.described ?? nothingDescribed),
    _id: name,
    id,
    skeleton: skeletonOf(name),
    ownerId: publisher.id,
    owner: publisher.username,
    visibility,
    verified: false,
    overrides: {},
    pins: {},
    downloads: 0,
    published: false,
    createdAt: now,
    updatedAt: now,
    changedAt: now,
    revision: 0,
    sequence: 0,
    stamp: 0,
    latest: "",
    channels: {},
    listed: 0,
    tombstones: 0,
  };
}

function tooSimilar(publisher: Candidate["publisher"], similar: PluginDocument): RegistryError {
  const shown = similar.published && maySee(publisher, similar);
  const message =
    `The name looks like ${shown ? `"${similar._id}"` : "one that is taken"}: letters of similar shape ` +
    "(0 and o, 1 and l, rn and m) and - _ . do not tell names apart; choose another name";
  return new RegistryError("rejected", "NAME_TOO_SIMILAR", message, {
    fields: [{ pointer: "/name", reason: message }],
  });
}

/**
 * Gives back a name whose first publish came to nothing. A publisher that staged meanwhile is seen here; one that stages
 * afterwards finds its reservation refused and claims anew.
 * @param ownerId only if the claim is that user's
 */
export async function freeName(
  parts: Pick<Parts, "plugins" | "releases">,
  name: PluginName,
  ownerId?: number,
): Promise<void> {
  const claim = await parts.plugins.get(name);
  if (claim === null || claim.published || (ownerId !== undefined && claim.ownerId !== ownerId)) return;
  if (await parts.releases.hasActive(name)) return;
  await parts.plugins.drop(claim);
}
