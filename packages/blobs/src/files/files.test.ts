import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeBlobs } from "../conformance.ts";
import { openFileBlobs } from "./open.ts";

describeBlobs("The file store", async () => {
  const directory = await mkdtemp(join(tmpdir(), "blobs-"));
  return {
    blobs: await openFileBlobs({ directory }),
    presigns: false,
    release: () => rm(directory, { recursive: true, force: true }),
  };
});
