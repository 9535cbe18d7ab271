import { once } from "node:events";
import { PassThrough } from "node:stream";
import { openFileBlobs } from "../open.ts";

/** A process that stops half way through a put, says so, and waits to be killed. */
const blobs = await openFileBlobs({ directory: process.argv[2] ?? "" });
const source = new PassThrough();
void blobs.put("killed/object", source, { size: 200_000 });
source.write(Buffer.alloc(100_000));
await once(source, "drain");
process.send?.("half way");
