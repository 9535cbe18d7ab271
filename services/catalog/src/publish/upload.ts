import type { Upload } from "@registry/contracts/storage";
import { isRegistryError, notFound, type RegistryError } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { releaseId } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import type { Candidate, Publisher } from "./candidate.ts";
import { freeName } from "./claim.ts";

export const uploadNotFound = (): RegistryError =>
  notFound("UPLOAD_NOT_FOUND", "No such upload; it may have expired, upload the package again");

/**
 * What the publisher uploaded, or undefined where storage knows no such upload.
 * @throws `not_found` UPLOAD_NOT_FOUND where somebody else uploaded it
 */
export async function takeUpload(
  parts: Parts,
  uploadId: string,
  publisher: Publisher,
  context: CallContext,
): Promise<Upload | undefined> {
  const upload = await parts
    .storage()
    .getUpload({ uploadId }, { context, as: "service" })
    .then((answer) => answer.upload)
    .catch((error: unknown) => {
      if (isRegistryError(error) && error.kind === "not_found") return undefined;
      throw error;
    });
  if (upload !== undefined && upload.uploadedBy !== publisher.id) throw uploadNotFound();
  return upload;
}

/** Best effort: what stays is dropped by storage when the upload expires. */
export async function dropUpload(parts: Parts, uploadId: string): Promise<void> {
  try {
    // Not bound to the caller's deadline, which may be why the publish failed.
    await parts.storage().abortUpload({ uploadId }, { as: "service", timeoutMs: 5000 });
  } catch (error) {
    parts.log.warn({ uploadId, err: error }, "upload not dropped, storage will when it expires");
  }
}

/** Takes back what a publish that came to nothing left in the store; the sweeper does it where this fails. */
export async function takeBack(parts: Parts, candidate: Candidate): Promise<void> {
  const { name, version, uploadId, publisher } = candidate;
  try {
    await parts.releases.dropStaged(releaseId(name, version), uploadId);
    await freeName(parts, name, publisher.id);
  } catch (error) {
    parts.log.warn({ plugin: name, version, err: error }, "unfinished publish not taken back, the sweeper will");
  }
}
