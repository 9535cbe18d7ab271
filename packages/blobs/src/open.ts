import { join } from "node:path";
import { openFileBlobs } from "./files/open.ts";
import type { Blobs } from "./port.ts";
import { openS3Blobs, type S3BlobsOptions } from "./s3/open.ts";

export interface BlobsOptions {
  /** An S3 server; without it blobs are files below `dataDir`. */
  readonly s3?: S3BlobsOptions;
  /** The folder `blobs` in it holds the files. */
  readonly dataDir: string;
}

/** Chooses the adapter. Resolves without asking the S3 server, which may come up later. */
export async function openBlobs(options: BlobsOptions): Promise<Blobs> {
  return options.s3 === undefined
    ? await openFileBlobs({ directory: join(options.dataDir, "blobs") })
    : await openS3Blobs(options.s3);
}
