import type { Caller } from "@registry/domain";
import type { Clock } from "@registry/kit";
import { uploadNotFound } from "../model/errors.ts";
import type { UploadedPackage } from "../model/upload.ts";
import type { Uploads } from "../store/uploads.ts";

interface Deps {
  readonly clock: Clock;
  readonly uploads: Uploads;
}

/** Services see every upload, users their own. @throws kind `not_found`, reason `UPLOAD_NOT_FOUND` */
export const getUpload =
  ({ clock, uploads }: Deps) =>
  async (id: string, caller: Caller): Promise<UploadedPackage> => {
    const upload = await uploads.find(id, clock.now());
    if (upload === undefined || !maySee(caller, upload)) throw uploadNotFound();
    return upload;
  };

export function maySee(caller: Caller, upload: UploadedPackage): boolean {
  return caller.type === "service" || (caller.type === "user" && caller.id === upload.uploadedBy);
}
