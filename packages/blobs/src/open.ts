import { join } from "node:path";
import { openFileBlobs } from "./files/open.ts";
import type { Blobs } from "./port.ts";
import type { S3BlobsOptions } from "./s3/open.ts";

export interface BlobsOptions {
  /** An S3 server; without it blobs are files below `dataDir`. */
  readonly s3?: S3BlobsOptions;
  /** The folder `blobs` in it holds the files. */
  readonly dataDir: string;
}

/** Chooses the adapter. Resolves without asking the S3 server, which may come up later. */
export async function openBlobs(options: BlobsOptions): Promise<Blobs> {
  if (options.s3 === undefined) return await openFileBlobs({ directory: join(options.dataDir, "blobs") });
  // Loaded only where it is used: the client costs memory and start-up time.
  const { openS3Blobs } = await import("./s3/open.ts");
  return await openS3Blobs(options.s3);
}
