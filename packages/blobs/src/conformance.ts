import { afterAll, beforeAll, describe } from "vitest";
import { describeFailedWrites } from "./conformance/failures.ts";
import { describeKeys } from "./conformance/keys.ts";
import { describeMoves } from "./conformance/moves.ts";
import { describeReads } from "./conformance/reads.ts";
import { describeStore } from "./conformance/store.ts";
import type { Opened } from "./conformance/support.ts";
import { describeWrites } from "./conformance/writes.ts";

export { failure, freshKey, type Opened, putBytes, readBytes, sourceOf } from "./conformance/support.ts";

/** Holds an adapter against every promise of the port. The store may hold objects of others; what is written here is removed. */
export function describeBlobs(name: string, open: () => Promise<Opened>): void {
  describe(`${name} keeps the promises of the blob port`, () => {
    let opened: Opened | undefined;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(async () => {
      await opened?.blobs.close();
      await opened?.release?.();
    });
    const store = (): Opened => {
      if (opened === undefined) throw new Error("The store did not open");
      return opened;
    };
    describeWrites(store);
    describeFailedWrites(store);
    describeReads(store);
    describeMoves(store);
    describeKeys(store);
    describeStore(store, open);
  });
}
