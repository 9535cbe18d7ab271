import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noise, pluginFiles, sha256Of, tarGzOf, zipOf } from "./testing/packages.ts";
import { reasonOf, Stack } from "./testing/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack.close());

describe("a package", () => {
  it.each(["zip", "tar.gz"])("is uploaded, committed and read back to the byte as %s", async (container) => {
    const files = pluginFiles({ name: `story-${container.replace(".", "-")}`, extra: { "data.bin": noise(700_000) } });
    const bytes = container === "zip" ? zipOf(files) : await tarGzOf(files, "story-tar-gz");
    const sha256 = sha256Of(bytes);
    const upload = await stack.upload(bytes, { size: bytes.length, sha256 });
    expect(upload).toMatchObject({
      sha256,
      size: bytes.length,
      container,
      format: "agenticraft",
      kind: "tool",
      name: `story-${container.replace(".", "-")}`,
      version: "1.0.0",
      readme: "# Weather\n",
      uploadedBy: 1,
    });
    expect(upload.changelog).toBeUndefined();
    expect(upload.files.map((file) => file.path)).toContain("src/weather.py");
    expect(JSON.parse(upload.recordJson)).toMatchObject({ title: "Weather" });
    expect(JSON.parse(upload.manifestJson)).toMatchObject({ entry_point: "weather:Tool" });

    const { upload: same } = await stack.storage.getUpload({ uploadId: upload.id }, stack.asPublisher());
    expect(same).toEqual(upload);

    expect(await stack.commit(upload.id)).toBe(sha256);
    expect(await stack.keys("staging/")).toEqual([]);
    expect(await stack.keys("blobs/")).toContain(`blobs/sha256/${sha256.slice(0, 2)}/${sha256}`);

    const answer = await stack.read({ sha256, packing: "PACKING_ORIGINAL" });
    expect(answer).toMatchObject({ size: bytes.length, sha256, derived: false });
    expect(answer.bytes.equals(bytes)).toBe(true);
    expect(answer.largestChunk).toBe(256 * 1024);
    expect(await stack.localFiles()).toEqual([]);
  });

  it("is one blob, however often it is published", async () => {
    const bytes = zipOf(pluginFiles({ name: "twice" }));
    const first = await stack.publish(bytes);
    expect(await stack.publish(bytes)).toBe(first);
    expect((await stack.keys("blobs/")).filter((key) => key.endsWith(first))).toHaveLength(1);
    expect(await stack.keys("staging/")).toEqual([]);
  });

  it("is dropped by its uploader, as often as asked", async () => {
    const before = await stack.everything();
    const { id: uploadId } = await stack.upload(zipOf(pluginFiles()));
    await stack.storage.abortUpload({ uploadId }, stack.asPublisher(2));
    expect(await stack.keys("staging/")).toEqual([`staging/${uploadId}`]);
    await stack.storage.abortUpload({ uploadId }, stack.asPublisher());
    await stack.storage.abortUpload({ uploadId }, stack.asPublisher());
    expect(await stack.everything()).toEqual(before);
    expect(await reasonOf(stack.commit(uploadId))).toBe("UPLOAD_NOT_FOUND");
  });

  it("is shown to nobody but its uploader and the catalog", async () => {
    const { id: uploadId } = await stack.upload(zipOf(pluginFiles()));
    const ask = (as: Parameters<typeof stack.storage.getUpload>[1]) => stack.storage.getUpload({ uploadId }, as);
    expect(await reasonOf(ask(stack.asPublisher(2)))).toBe("UPLOAD_NOT_FOUND");
    expect(await reasonOf(ask(stack.asService("gateway")))).toBe("PERMISSION_DENIED");
    expect(await reasonOf(ask({}))).toBe("INVALID_CREDENTIAL");
    expect(await reasonOf(ask(stack.asService("catalog")))).toBe("none");
    expect(await reasonOf(stack.storage.commitUpload({ uploadId }, stack.asPublisher()))).toBe("PERMISSION_DENIED");
    await stack.storage.abortUpload({ uploadId }, stack.asService("gateway"));
  });

  it("expires", async () => {
    const { id: uploadId } = await stack.upload(zipOf(pluginFiles()));
    stack.surroundings.clock.advance(3_600_000);
    expect(await reasonOf(stack.storage.getUpload({ uploadId }, stack.asPublisher()))).toBe("UPLOAD_NOT_FOUND");
    expect(await reasonOf(stack.commit(uploadId))).toBe("UPLOAD_NOT_FOUND");
  });

  it("tells that its stores answer", async () => {
    expect(await stack.service.checks()).toEqual({ storage: true, database: true });
  });
});
