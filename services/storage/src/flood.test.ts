import type { UploadPackageRequest } from "@registry/contracts/storage";
import { afterEach, beforeEach, expect, it } from "vitest";
import { messagesOf, pluginFiles, zipOf } from "./testing/packages.ts";
import { reasonOf, Stack } from "./testing/stack.ts";

let stack: Stack;
beforeEach(async () => {
  stack = await Stack.start({ config: { LIMIT_UPLOADS_PER_USER: 3 } });
});
afterEach(() => stack.close());

const packageNo = (n: number): Buffer => zipOf(pluginFiles({ name: `flood-${n}` }));
const uploaded = (n: number, user = 1): Promise<string> =>
  reasonOf(stack.upload(packageNo(n), {}, stack.asPublisher(user)));

it("a user has so many uploads waiting and no more, until one is published, dropped or expires", async () => {
  const first = await stack.upload(packageNo(1));
  const second = await stack.upload(packageNo(2));
  expect(await uploaded(3)).toBe("none");
  expect(await uploaded(4)).toBe("TOO_MANY_UPLOADS");
  expect(await uploaded(4, 2)).toBe("none");

  stack.catalog.referenced.add(first.sha256);
  await stack.commit(first.id);
  expect(await uploaded(5)).toBe("none");
  expect(await uploaded(6)).toBe("TOO_MANY_UPLOADS");
  await stack.storage.abortUpload({ uploadId: second.id }, stack.asPublisher());
  expect(await uploaded(6)).toBe("none");
  expect(await uploaded(7)).toBe("TOO_MANY_UPLOADS");
  stack.surroundings.clock.advance(3_600_000);
  expect(await uploaded(7)).toBe("none");
  expect(await stack.localFiles()).toEqual([]);
});

it("what is still coming in counts as well, and no byte of the one too many is taken", async () => {
  const go = Promise.withResolvers<void>();
  async function* slow(n: number): AsyncGenerator<UploadPackageRequest> {
    await go.promise;
    for await (const message of messagesOf(packageNo(n))) yield message as UploadPackageRequest;
  }
  const coming = [1, 2, 3].map((n) => reasonOf(stack.storage.uploadPackage(slow(n), stack.asPublisher())));
  await expect.poll(() => stack.localFiles()).toHaveLength(3);
  expect(await uploaded(4)).toBe("TOO_MANY_UPLOADS");
  go.resolve();
  expect(await Promise.all(coming)).toEqual(["none", "none", "none"]);
  expect(await uploaded(4)).toBe("TOO_MANY_UPLOADS");
});
