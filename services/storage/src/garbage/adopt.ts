import type { BlobStat, Blobs } from "@registry/blobs";
import type { Digest } from "@registry/domain";
import { blobPrefix, parseBlobKey } from "../model/keys.ts";
import type { BlobRecord, BlobRecords } from "../store/blob-records.ts";
import { inGroups } from "./tally.ts";
import type { Sweep } from "./uploads.ts";

interface Deps {
  readonly blobs: Blobs;
  readonly records: BlobRecords;
}

interface Found extends BlobStat {
  readonly digest: Digest;
  readonly generation: number;
}

const groupSize = 500;

/**
 * Holds the store's objects against the records: what has no record gets one, so that it is collected like any other blob
 * once nothing refers to it; what lies under a key that is never used again is removed. Keys of another form are left alone.
 */
export async function adoptObjects(deps: Deps, sweep: Sweep): Promise<void> {
  for await (const group of inGroups(deps.blobs.list(blobPrefix), groupSize)) {
    sweep.signal.throwIfAborted();
    const found = group.flatMap((stat): Found[] => {
      const parsed = parseBlobKey(stat.key);
      return parsed === undefined ? [] : [{ ...stat, ...parsed }];
    });
    const records = await deps.records.findMany([...new Set(found.map(({ digest }) => digest))]);
    for (const object of found) await adopt(deps, sweep, object, records.get(object.digest));
  }
}

async function adopt(deps: Deps, sweep: Sweep, object: Found, record: BlobRecord | undefined): Promise<void> {
  const { digest, generation, size, modifiedAt } = object;
  if (record === undefined) {
    if (!sweep.dryRun) await deps.records.insert({ digest, size }, generation, modifiedAt);
    return;
  }
  const isCollected = record.state === "deleting" || record.state === "deleted";
  if (isCollected && generation === record.generation + 1) {
    // Its publisher stopped between moving the object and recording it.
    if (!sweep.dryRun) await deps.records.revive({ digest, size }, record.generation, modifiedAt);
    return;
  }
  const isDead = generation < record.generation || (generation === record.generation && record.state === "deleted");
  if (!isDead) return;
  if (!sweep.dryRun && !(await deps.blobs.delete(object.key))) return;
  sweep.tally.freedBytes += size;
}
