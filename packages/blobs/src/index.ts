export { type FileBlobsOptions, openFileBlobs } from "./files/open.ts";
export { observeBlobs } from "./observed.ts";
export { type BlobsOptions, openBlobs } from "./open.ts";
export * from "./port.ts";
