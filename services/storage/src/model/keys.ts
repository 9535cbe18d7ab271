import { createHash } from "node:crypto";
import { type Digest, isDigest } from "@registry/domain";

/**
 * Every key of the object store, in one place:
 *
 * - `staging/<upload id>`: a package that was received and is no release yet
 * - `blobs/sha256/<first two>/<digest>`: a package, by its content
 * - `blobs/sha256/<first two>.<n>/<digest>`: the same once its content was collected and came back, for the n-th time
 * - `derived/<digest>/<packing>-<hash of the top folder>`: another packing of a blob, may be dropped at any time
 *
 * A key below `blobs/` whose deletion was begun is never written again. So a collector that was stopped between deciding and
 * deleting, for however long, cannot delete what was published meanwhile.
 */
export const stagingPrefix = "staging/";
export const blobPrefix = "blobs/";
export const derivedPrefix = "derived/";

export const stagingKey = (uploadId: string): string => `${stagingPrefix}${uploadId}`;

/** @param generation how often the content was collected before, from 0 */
export function blobKey(digest: Digest, generation: number): string {
  const shard = digest.slice(0, 2);
  return `${blobPrefix}sha256/${generation === 0 ? shard : `${shard}.${generation}`}/${digest}`;
}

export function parseBlobKey(key: string): { readonly digest: Digest; readonly generation: number } | undefined {
  const [, shard, generation = "0", digest = ""] =
    /^blobs\/sha256\/([0-9a-f]{2})(?:\.([1-9]\d{0,8}))?\/(.+)$/.exec(key) ?? [];
  return isDigest(digest) && digest.slice(0, 2) === shard ? { digest, generation: Number(generation) } : undefined;
}

export const derivedFolder = (digest: Digest): string => `${derivedPrefix}${digest}/`;

/** Top folders hold characters that keys do not, so their hash stands for them. */
export function derivedKey(digest: Digest, packing: "tar.gz" | "zip", topFolder: string): string {
  const hash = createHash("sha256").update(topFolder).digest("hex").slice(0, 32);
  return `${derivedFolder(digest)}${packing}-${hash}`;
}

/** The blob that a derived object was made from. */
export function derivedFrom(key: string): Digest | undefined {
  const digest = key.slice(derivedPrefix.length, key.indexOf("/", derivedPrefix.length));
  return isDigest(digest) ? digest : undefined;
}
