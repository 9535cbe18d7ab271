import type { Blobs } from "@registry/blobs";
import type { DeepPartial, ReadBlobRequest, ReadBlobResponse } from "@registry/contracts/storage";
import { invalid, parseDigest } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import type { ReadAccess } from "../model/access.ts";
import { rangeNotSatisfiable } from "../model/errors.ts";
import type { Objects } from "../objects.ts";
import { wantedPacking } from "../wire.ts";
import { inChunks } from "../work/chunks.ts";
import { damaged } from "../work/local-copy.ts";

interface Deps {
  readonly blobs: Blobs;
  readonly objects: Objects;
  readonly access: ReadAccess;
}

/** Streams a blob, or a part of it, no faster than its reader takes it. */
export const readBlob = ({ blobs, objects, access }: Deps) =>
  async function* (
    request: ReadBlobRequest,
    { caller, signal }: Pick<CallContext, "caller" | "signal">,
  ): AsyncGenerator<DeepPartial<ReadBlobResponse>> {
    const digest = parseDigest(request.sha256);
    access.check(caller, digest, request.ticket);
    const wanted = wantedPacking(request);
    checkRange(request);
    const { object, stream } = await objects.use(digest, wanted, signal, async (found) => {
      const end = endOf(found.size, request);
      return { object: found, stream: await blobs.read(found.key, { start: request.offset, end, signal }) };
    });
    try {
      const { size, sha256, derived } = object;
      yield { part: { $case: "header", value: { size, sha256, derived } } };
      const expected = endOf(size, request) - request.offset + 1;
      let sent = 0;
      for await (const chunk of inChunks(stream)) {
        sent += chunk.length;
        yield { part: { $case: "chunk", value: chunk } };
      }
      if (sent !== expected) throw damaged(object.key, `${sent} bytes came where ${expected} were to come`);
    } finally {
      stream.destroy();
    }
  };

function checkRange({ offset, length }: ReadBlobRequest): void {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw invalid("INVALID_RANGE", "offset: expected the first byte, from 0", "/offset");
  }
  if (!Number.isSafeInteger(length) || length < 0) {
    throw invalid("INVALID_RANGE", "length: expected how many bytes, or 0 for all the rest", "/length");
  }
}

/** The last byte, inclusive. @throws kind `out_of_range`, reason `RANGE_NOT_SATISFIABLE` */
function endOf(size: number, { offset, length }: ReadBlobRequest): number {
  if (offset >= size) throw rangeNotSatisfiable();
  return length === 0 ? size - 1 : Math.min(size, offset + length) - 1;
}
