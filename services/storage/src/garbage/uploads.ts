import type { Blobs } from "@registry/blobs";
import { stagingKey, stagingPrefix } from "../model/keys.ts";
import type { Uploads } from "../store/uploads.ts";
import { inGroups, type Tally } from "./tally.ts";

interface Deps {
  readonly blobs: Blobs;
  readonly uploads: Uploads;
  readonly lifetimeMs: number;
}

export interface Sweep {
  readonly now: Date;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly tally: Tally;
}

const groupSize = 200;

/** Removes uploads that have expired, and staged objects that no upload tells of. */
export async function sweepUploads(deps: Deps, sweep: Sweep): Promise<void> {
  if (sweep.dryRun) sweep.tally.deletedUploads += await deps.uploads.countExpired(sweep.now);
  else await removeExpired(deps, sweep);
  await removeOrphans(deps, sweep);
}

async function removeExpired({ blobs, uploads }: Deps, { now, signal, tally }: Sweep): Promise<void> {
  for (let expired = await uploads.expired(now, groupSize); expired.length > 0; ) {
    for (const { id, size } of expired) {
      signal.throwIfAborted();
      if (await blobs.delete(stagingKey(id))) tally.freedBytes += size;
      if (await uploads.remove(id)) tally.deletedUploads++;
    }
    expired = await uploads.expired(now, groupSize);
  }
}

async function removeOrphans({ blobs, uploads, lifetimeMs }: Deps, sweep: Sweep): Promise<void> {
  // An upload is recorded right after it is staged: what is young may just be about to be.
  const before = sweep.now.getTime() - lifetimeMs;
  for await (const group of inGroups(blobs.list(stagingPrefix), groupSize)) {
    sweep.signal.throwIfAborted();
    const old = group.filter((object) => object.modifiedAt.getTime() < before);
    const idOf = (key: string): string => key.slice(stagingPrefix.length);
    const known = await uploads.known(old.map(({ key }) => idOf(key)));
    for (const { key, size } of old.filter((object) => !known.has(idOf(object.key)))) {
      if (!sweep.dryRun && !(await blobs.delete(key))) continue;
      sweep.tally.deletedUploads++;
      sweep.tally.freedBytes += size;
    }
  }
}
