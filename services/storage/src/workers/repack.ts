import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { repackAsTarGz, repackAsZip } from "@registry/archive";
import type { Tasks } from "./tasks.ts";

/** Writes another packing of a package to the local disk, and measures it on the way. */
export async function repack(input: Tasks["repack"]["input"]): Promise<Tasks["repack"]["output"]> {
  const { path, size, limits, spoolDirectory, packing, topFolder, target } = input;
  const file = { path, size };
  const packed =
    packing === "zip"
      ? repackAsZip(file, limits, { spoolDirectory })
      : repackAsTarGz(file, topFolder, limits, { spoolDirectory });
  const hash = createHash("sha256");
  let written = 0;
  async function* measured(): AsyncGenerator<Buffer> {
    for await (const chunk of packed) {
      hash.update(chunk);
      written += chunk.length;
      yield chunk;
    }
  }
  await pipeline(measured(), createWriteStream(target, { flags: "wx" }));
  return { size: written, sha256: hash.digest("hex") };
}
