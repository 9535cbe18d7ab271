import type { Blobs } from "./port.ts";

/**
 * Runs one call to the store, and may watch how it goes; what comes out must be what the call gave or threw.
 * Of `read` it ends when the first bytes can be read.
 */
export type Around = <R>(
  call: { readonly operation: string; readonly key: string; readonly size?: number },
  run: () => Promise<R>,
) => Promise<R>;

/** The same store with something around every call that is about one object. */
export function observeBlobs(blobs: Blobs, around: Around): Blobs {
  return {
    put(key, source, options) {
      const { size } = options;
      return around({ operation: "put", key, size }, () => blobs.put(key, source, options));
    },
    putFile(key, path, options) {
      const { size } = options;
      return around({ operation: "putFile", key, size }, () => blobs.putFile(key, path, options));
    },
    move: (from, to) => around({ operation: "move", key: to }, () => blobs.move(from, to)),
    stat: (key) => around({ operation: "stat", key }, () => blobs.stat(key)),
    read: (key, options) => around({ operation: "read", key }, () => blobs.read(key, options)),
    delete: (key) => around({ operation: "delete", key }, () => blobs.delete(key)),
    list: (prefix) => blobs.list(prefix),
    // Signed without asking the store.
    presignGet: (key, options) => blobs.presignGet(key, options),
    ping: () => blobs.ping(),
    close: () => blobs.close(),
  };
}
