import { readFileSync } from "node:fs";

/** The FileDescriptorSet of every contract, for gRPC reflection. */
export function readDescriptorSet(): Uint8Array {
  return readFileSync(new URL("./gen/descriptors.bin", import.meta.url));
}
