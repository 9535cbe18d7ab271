import type { Blobs } from "@registry/blobs";
import type { Digest } from "@registry/domain";
import { blobKey, derivedFolder, derivedFrom, derivedPrefix } from "../model/keys.ts";
import type { BlobRecord, BlobRecords, BlobState } from "../store/blob-records.ts";
import type { Contents } from "../store/contents.ts";
import type { DerivedRecords } from "../store/derived-records.ts";
import { inGroups } from "./tally.ts";
import type { Sweep } from "./uploads.ts";

/** Which of at most 1,000 digests some release refers to, staged ones included. Fails where that cannot be told. */
export type AskReferenced = (digests: readonly Digest[], signal: AbortSignal) => Promise<ReadonlySet<string>>;

interface Deps {
  readonly blobs: Blobs;
  readonly records: BlobRecords;
  readonly contents: Contents;
  readonly derivedRecords: DerivedRecords;
  readonly referenced: AskReferenced;
  readonly newId: () => string;
  readonly graceMs: number;
}

const pageSize = 1000;

async function* pagesOf(
  records: BlobRecords,
  state: BlobState,
  signal: AbortSignal,
): AsyncGenerator<readonly BlobRecord[]> {
  for (let page = await records.page(state, "", pageSize); page.length > 0; ) {
    signal.throwIfAborted();
    yield page;
    page = await records.page(state, page.at(-1)?.digest ?? "", pageSize);
  }
}

async function unreferenced(
  deps: Deps,
  page: readonly BlobRecord[],
  signal: AbortSignal,
): Promise<readonly BlobRecord[]> {
  if (page.length === 0) return [];
  const referenced = await deps.referenced(
    page.map(({ digest }) => digest),
    signal,
  );
  return page.filter(({ digest }) => !referenced.has(digest));
}

/** First look: what no release refers to and was not committed within the grace time. */
export async function markBlobs(deps: Deps, sweep: Sweep): Promise<void> {
  const before = sweep.now.getTime() - deps.graceMs;
  for await (const page of pagesOf(deps.records, "present", sweep.signal)) {
    sweep.tally.examinedBlobs += page.length;
    const old = page.filter(({ touchedAt }) => touchedAt.getTime() <= before);
    for (const blob of await unreferenced(deps, old, sweep.signal)) {
      if (sweep.dryRun) countDeleted(sweep, blob);
      if (!sweep.dryRun && !(await deps.records.mark(blob.digest, blob.touchedAt, deps.newId()))) continue;
      sweep.tally.markedBlobs++;
    }
  }
}

/** Second look, some time after the first: what is referred to again is taken back, the rest is deleted. */
export async function deleteMarked(deps: Deps, sweep: Sweep): Promise<void> {
  for await (const page of pagesOf(deps.records, "marked", sweep.signal)) {
    const garbage = new Set(await unreferenced(deps, page, sweep.signal));
    for (const blob of page) {
      const { digest, markId } = blob;
      if (markId === undefined) continue;
      if (!garbage.has(blob)) await deps.records.unmark(digest, markId);
      else if (await deps.records.beginDelete(digest, markId)) await finishDelete(deps, sweep, blob);
    }
  }
}

/** Ends deletions that were begun, by whomever. */
export async function finishDeletes(deps: Deps, sweep: Sweep): Promise<void> {
  for await (const page of pagesOf(deps.records, "deleting", sweep.signal)) {
    for (const blob of page) await finishDelete(deps, sweep, blob);
  }
}

/** The key is dead from here on, so that this may be done twice, and late. */
async function finishDelete(deps: Deps, sweep: Sweep, blob: BlobRecord): Promise<void> {
  const { digest, generation } = blob;
  if (await deps.blobs.delete(blobKey(digest, generation))) countDeleted(sweep, blob);
  for await (const { key } of deps.blobs.list(derivedFolder(digest))) await deps.blobs.delete(key);
  await deps.derivedRecords.removeOf(digest);
  await deps.contents.remove(digest);
  await deps.records.endDelete(digest, generation, sweep.now);
}

function countDeleted(sweep: Sweep, { size }: BlobRecord): void {
  sweep.tally.deletedBlobs++;
  sweep.tally.freedBytes += size;
}

/** Removes derived objects whose blob is gone: they were being made while it was deleted. */
export async function sweepDerived(deps: Deps, sweep: Sweep): Promise<void> {
  for await (const group of inGroups(deps.blobs.list(derivedPrefix), pageSize)) {
    sweep.signal.throwIfAborted();
    const sources = new Set(group.flatMap(({ key }) => derivedFrom(key) ?? []));
    const records = await deps.records.findMany([...sources]);
    for (const { key, size } of group) {
      const source = derivedFrom(key);
      const state = source === undefined ? undefined : records.get(source)?.state;
      if (source === undefined || state === "present" || state === "marked") continue;
      if (!sweep.dryRun) {
        await deps.blobs.delete(key);
        await deps.derivedRecords.removeOf(source);
      }
      sweep.tally.freedBytes += size;
    }
  }
}
