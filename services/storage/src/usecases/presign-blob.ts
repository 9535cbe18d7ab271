import type { Blobs } from "@registry/blobs";
import type { PresignBlobRequest } from "@registry/contracts/storage";
import { invalid, parseDigest } from "@registry/domain";
import { type CallContext, type Clock, ticketSeconds } from "@registry/kit";
import type { ReadAccess } from "../model/access.ts";
import { blobNotFound } from "../model/errors.ts";
import type { Objects } from "../objects.ts";
import { wantedPacking } from "../wire.ts";

interface Deps {
  readonly clock: Clock;
  readonly blobs: Blobs;
  readonly objects: Objects;
  readonly access: ReadAccess;
}

export interface PresignedUrl {
  /** Empty where the store has no such thing. */
  readonly url: string;
  readonly expiresAt: Date;
}

const gatewaySeconds = 3600;
/** Bytes that a browser saves and does not show, whatever is in them. */
const savedType = "application/octet-stream";

/**
 * A URL of the object store itself; what has to be derived is derived first. For holders of a ticket it lives no longer
 * than a ticket does, and says nothing of the bytes that they could have a browser believe.
 */
export const presignBlob =
  ({ clock, blobs, objects, access }: Deps) =>
  async (
    request: PresignBlobRequest,
    { caller, signal }: Pick<CallContext, "caller" | "signal">,
  ): Promise<PresignedUrl> => {
    const digest = parseDigest(request.sha256);
    access.check(caller, digest, request.ticket);
    const wanted = wantedPacking(request);
    const { expiresSeconds, filename } = request;
    const isGateway = caller.type === "service";
    const longestSeconds = isGateway ? gatewaySeconds : ticketSeconds;
    const contentType = isGateway ? request.contentType : savedType;
    if (!Number.isSafeInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > longestSeconds) {
      throw invalid("INVALID_EXPIRY", `expires_seconds: expected 1 to ${longestSeconds}`, "/expires_seconds");
    }
    const expiresAt = new Date(clock.now().getTime() + expiresSeconds * 1000);
    const url = await objects.use(digest, wanted, signal, async ({ key }) => {
      // The store signs what is not there as well.
      if ((await blobs.stat(key)) === undefined) throw blobNotFound();
      return await blobs.presignGet(key, {
        expiresSeconds,
        ...(filename === "" ? {} : { filename }),
        ...(contentType === "" ? {} : { contentType }),
      });
    });
    return { url: url ?? "", expiresAt };
  };
