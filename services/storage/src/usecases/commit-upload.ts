import type { Blobs } from "@registry/blobs";
import { type Digest, isRegistryError, RegistryError } from "@registry/domain";
import type { Clock } from "@registry/kit";
import { uploadNotFound } from "../model/errors.ts";
import { blobKey, stagingKey } from "../model/keys.ts";
import type { UploadedPackage } from "../model/upload.ts";
import type { BlobRecords, NewBlob } from "../store/blob-records.ts";
import type { Contents } from "../store/contents.ts";
import type { Uploads } from "../store/uploads.ts";
import { damaged } from "../work/local-copy.ts";

interface Deps {
  readonly clock: Clock;
  readonly blobs: Blobs;
  readonly uploads: Uploads;
  readonly records: BlobRecords;
  readonly contents: Contents;
}

/** Each further attempt means that a collector or another publisher of the same content came between. */
const maxAttempts = 10;

/**
 * Makes an upload's bytes a blob that stays. The caller refers to the digest already, so that a collector that asks from
 * now on is told so; one that asked before is outdone here by compare-and-set.
 *
 * The object is moved before its record says that it is there, so an attempt that is cut short at any point is completed
 * by the next one.
 * @throws kind `not_found`, reason `UPLOAD_NOT_FOUND`; kind `conflict`, reason `BLOB_BUSY`
 */
export const commitUpload =
  (deps: Deps) =>
  async (uploadId: string): Promise<Digest> => {
    const upload = await deps.uploads.find(uploadId, deps.clock.now());
    if (upload === undefined) throw uploadNotFound();
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      if (!(await settle(deps, upload))) continue;
      const paths = upload.content.files.map((file) => file.path);
      await deps.contents.put(upload.sha256, paths);
      await deps.uploads.markCommitted(uploadId);
      return upload.sha256;
    }
    throw new RegistryError("conflict", "BLOB_BUSY", "The same content is being published and deleted; try again", {
      retryAfterSeconds: 1,
    });
  };

/** @returns false where the record was changed by another meanwhile */
async function settle(deps: Deps, upload: UploadedPackage): Promise<boolean> {
  const { records, clock } = deps;
  const blob = toBlob(upload);
  const record = await records.find(upload.sha256);
  if (record === undefined) {
    await place(deps, upload, 0);
    return await records.insert(blob, 0, clock.now());
  }
  switch (record.state) {
    case "present":
    case "marked":
      if (!(await records.touch(blob, record.generation, clock.now()))) return false;
      await makeSure(deps, upload, record.generation);
      return true;
    case "deleting":
    case "deleted":
      await place(deps, upload, record.generation + 1);
      return await records.revive(blob, record.generation, clock.now());
    default:
      return record.state satisfies never;
  }
}

/** The content is there from another upload, or from an earlier attempt. */
async function makeSure(deps: Deps, upload: UploadedPackage, generation: number): Promise<void> {
  const key = blobKey(upload.sha256, generation);
  const found = await deps.blobs.stat(key);
  if (found === undefined) return await place(deps, upload, generation);
  checkSize(upload, key, found.size);
  await deps.blobs.delete(stagingKey(upload.id));
}

async function place(deps: Deps, upload: UploadedPackage, generation: number): Promise<void> {
  const key = blobKey(upload.sha256, generation);
  try {
    await deps.blobs.move(stagingKey(upload.id), key);
  } catch (error) {
    // Neither staged nor there under that key: it was committed before and collected since, or dropped.
    if (isRegistryError(error) && error.reason === "BLOB_NOT_FOUND") throw uploadNotFound();
    throw error;
  }
  const found = await deps.blobs.stat(key);
  if (found === undefined) throw uploadNotFound();
  checkSize(upload, key, found.size);
}

function checkSize(upload: UploadedPackage, key: string, size: number): void {
  if (size !== upload.size) throw damaged(key, `${size} bytes where ${upload.size} were uploaded`);
}

function toBlob({ sha256, size, content }: UploadedPackage): NewBlob {
  return { digest: sha256, size, container: content.container, topFolder: content.topFolder };
}
