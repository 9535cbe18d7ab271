import { createReadStream } from "node:fs";
import { join } from "node:path";
import type { DeepPartial, ReadPackageFileRequest, ReadPackageFileResponse } from "@registry/contracts/storage";
import { invalid, parseDigest } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import type { Inspector } from "../inspector.ts";
import type { ReadAccess } from "../model/access.ts";
import { fileNotFound } from "../model/errors.ts";
import type { Objects } from "../objects.ts";
import type { Contents } from "../store/contents.ts";
import { chunkBytes } from "../work/chunks.ts";
import type { Workspace } from "../work/workspace.ts";

interface Deps {
  readonly objects: Objects;
  readonly contents: Contents;
  readonly inspector: Inspector;
  readonly workspace: Workspace;
  readonly access: ReadAccess;
}

const longestPathBytes = 1024;

/** Streams one file of a stored package. An empty file is a stream of one empty chunk. */
export const readPackageFile = (deps: Deps) =>
  async function* (
    request: ReadPackageFileRequest,
    { caller, signal }: Pick<CallContext, "caller" | "signal">,
  ): AsyncGenerator<DeepPartial<ReadPackageFileResponse>> {
    const digest = parseDigest(request.sha256);
    deps.access.check(caller, digest, request.ticket);
    if (request.path === "" || Buffer.byteLength(request.path) > longestPathBytes) {
      throw invalid("INVALID_PATH", `path: expected 1 to ${longestPathBytes} bytes as in the file list`, "/path");
    }
    const original = await deps.objects.original(digest);
    if ((await deps.contents.holds(digest, request.path)) === false) throw fileNotFound();
    const folder = await deps.workspace.make();
    try {
      const target = join(folder, "file");
      const found = await deps.objects.withLocalCopy(original, folder, signal, (copy) =>
        deps.inspector.extract(copy, request.path, target, signal),
      );
      if (found === null) throw fileNotFound();
      if (found.size === 0) yield { chunk: Buffer.alloc(0) };
      for await (const chunk of createReadStream(target, { highWaterMark: chunkBytes, signal })) yield { chunk };
    } finally {
      await deps.workspace.remove(folder);
    }
  };
