import { DuplicateKeyError } from "@registry/documents";
import { type PluginName, permissionDenied, RegistryError, skeletonOf } from "@registry/domain";
import type { PassedOn } from "@registry/kit";
import { mayPublishTo, maySee } from "../model/access.ts";
import { nothingDescribed } from "../model/descriptive.ts";
import type { Ownership, PluginDocument } from "../model/plugin.ts";
import type { Parts } from "../parts.ts";
import type { Candidate } from "./candidate.ts";
import { assertTeam, assertTeamVisibility, ownerOfNew } from "./ownership.ts";

type ClaimParts = Pick<Parts, "plugins" | "releases" | "clock" | "auth" | "organisations">;

/** What a name is to its publisher. */
export interface Authorised {
  /** Null where the publisher may take the name. */
  readonly known: PluginDocument | null;
  /** To whom it belongs, or will. */
  readonly owner: Ownership;
}

/** @throws as `claimName` */
export async function authoriseName(parts: ClaimParts, candidate: Candidate, call: PassedOn): Promise<Authorised> {
  const { name, publisher, visibility, team } = candidate;
  const known = await parts.plugins.get(name);
  if (known !== null) {
    if (!mayPublishTo(publisher, known)) throw permissionDenied();
    return { known, owner: known };
  }
  const owner = await ownerOfNew(parts, candidate, call);
  assertTeamVisibility(visibility, team);
  if (team !== undefined) await assertTeam(parts, owner.org, team, call);
  const similar = await parts.plugins.bySkeleton(skeletonOf(name));
  if (similar !== null && similar._id !== name) throw tooSimilar(publisher, similar);
  return { known: null, owner };
}

/**
 * Authorises the name that will be written. A new one is claimed for the publisher: one insert decides who gets it.
 * @returns the plugin, or undefined where the name changed hands meanwhile
 * @throws `permission_denied`, also where the publisher may not know that the name is taken
 * @throws `rejected` NAME_TOO_SIMILAR, and as `ownerOfNew` and `assertTeam`
 */
export async function claimName(
  parts: ClaimParts,
  candidate: Candidate,
  call: PassedOn,
): Promise<PluginDocument | undefined> {
  const { known, owner } = await authoriseName(parts, candidate, call);
  if (known !== null) return known;
  const claim = newClaim(candidate, owner, await parts.plugins.nextId(), parts.clock.now());
  try {
    await parts.plugins.collection.insertOne(claim);
    return claim;
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    return undefined;
  }
}

/** A plugin as it is before its first release is seen. */
export function newClaim(candidate: Candidate, owner: Ownership, id: number, now: Date): PluginDocument {
  const { name, visibility, team } = candidate;
  return {
    ...(candidate.package.described ?? nothingDescribed),
    _id: name,
    id,
    skeleton: skeletonOf(name),
    ...owner,
    ...(team === undefined ? {} : { team }),
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
 * @param publisherId only if the claim may be that user's: its own, or an organisation's
 */
export async function freeName(
  parts: Pick<Parts, "plugins" | "releases">,
  name: PluginName,
  publisherId?: number,
): Promise<void> {
  const claim = await parts.plugins.get(name);
  if (claim === null || claim.published || !mayBeOf(claim, publisherId)) return;
  if (await parts.releases.hasActive(name)) return;
  await parts.plugins.drop(claim);
}

function mayBeOf({ org, ownerId }: PluginDocument, publisherId: number | undefined): boolean {
  return publisherId === undefined || org !== undefined || ownerId === publisherId;
}
