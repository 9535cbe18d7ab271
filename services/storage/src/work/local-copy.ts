import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Blobs } from "@registry/blobs";
import { RegistryError } from "@registry/domain";

/** What an object of the store must be. */
export interface Expected {
  readonly key: string;
  readonly size: number;
  readonly sha256: string;
}

/** The cause names the object and goes to the log alone. */
export const damaged = (key: string, what: string): RegistryError =>
  new RegistryError("internal", "BLOB_DAMAGED", "A stored package is damaged; the operator's log names it", {
    cause: new Error(`${key}: ${what}`),
  });

/** Copies an object to a local file and verifies it on the way. @throws kind `internal`, reason `BLOB_DAMAGED` */
export async function copyToDisk(blobs: Blobs, object: Expected, path: string, signal: AbortSignal): Promise<void> {
  const hash = createHash("sha256");
  let size = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  const source = await blobs.read(object.key, { signal });
  await pipeline(source, meter, createWriteStream(path, { flags: "wx" }), { signal });
  if (size !== object.size) throw damaged(object.key, `${size} bytes where ${object.size} were stored`);
  if (hash.digest("hex") !== object.sha256) throw damaged(object.key, "another digest than what was stored");
}

/** Reads an object through for its digest. */
export async function measure(
  blobs: Blobs,
  key: string,
  signal: AbortSignal,
): Promise<{ size: number; sha256: string }> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of await blobs.read(key, { signal })) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest("hex") };
}
