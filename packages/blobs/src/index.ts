export { type FileBlobsOptions, openFileBlobs } from "./files/open.ts";
export { type BlobsOptions, openBlobs } from "./open.ts";
export * from "./port.ts";
export { openS3Blobs, type S3BlobsOptions } from "./s3/open.ts";
