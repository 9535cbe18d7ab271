import type { Blobs } from "@registry/blobs";
import type { Caller } from "@registry/domain";
import type { Clock } from "@registry/kit";
import { stagingKey } from "../model/keys.ts";
import type { Uploads } from "../store/uploads.ts";
import { maySee } from "./get-upload.ts";

interface Deps {
  readonly clock: Clock;
  readonly blobs: Blobs;
  readonly uploads: Uploads;
}

/** Drops an upload. One that is gone, or that the caller may not know of, is dropped already as far as the caller can see. */
export const abortUpload =
  ({ clock, blobs, uploads }: Deps) =>
  async (id: string, caller: Caller): Promise<void> => {
    const upload = await uploads.find(id, clock.now());
    if (upload === undefined || !maySee(caller, upload)) return;
    await blobs.delete(stagingKey(id));
    await uploads.remove(id);
  };
