import { randomBytes } from "node:crypto";
import { openS3Blobs } from "@registry/blobs/s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noise, pluginFiles, sha256Of, tarGzOf, zipOf } from "../../services/storage/src/testing/packages.ts";
import { reasonOf, Stack } from "../../services/storage/src/testing/stack.ts";
import { type MinioServer, minio, missing, stopServers } from "../servers/index.ts";

describe.skipIf(missing("minio") !== undefined)("the storage service on an S3 server", () => {
  let server: MinioServer;
  let stack: Stack;
  beforeAll(async () => {
    server = await minio();
    const { endpoint, accessKey, secretKey } = server;
    const bucket = `storage-${randomBytes(6).toString("hex")}`;
    const openBlobs = () => openS3Blobs({ endpoint, publicEndpoint: endpoint, accessKey, secretKey, bucket });
    stack = await Stack.start({ openBlobs, config: { GC_GRACE_SECONDS: 0 } });
  });
  afterAll(async () => {
    await stack?.close();
    await stopServers();
  });

  it("takes a package, gives it back, derives, presigns and collects", async () => {
    const files = pluginFiles({ name: "on-s3", extra: { "data.bin": noise(12_000_000) } });
    const bytes = zipOf(files, 0);
    const sha256 = await stack.publish(bytes);
    expect(sha256).toBe(sha256Of(bytes));
    expect(await stack.keys()).toEqual([`blobs/sha256/${sha256.slice(0, 2)}/${sha256}`]);
    expect((await stack.read({ sha256 })).bytes.equals(bytes)).toBe(true);
    const part = await stack.read({ sha256, offset: 5_000_000, length: 300_000 });
    expect(part.bytes.equals(bytes.subarray(5_000_000, 5_300_000))).toBe(true);
    expect((await stack.readFile(sha256, "src/weather.py")).toString()).toContain("class Tool");

    const tarGz = { sha256, packing: "PACKING_TAR_GZ", topFolder: "on-s3" } as const;
    const derived = await stack.read(tarGz);
    expect(derived).toMatchObject({ derived: true, sha256: sha256Of(derived.bytes) });
    expect(derived.bytes.equals(await tarGzOf(files, "on-s3"))).toBe(true);

    const asked = { ...tarGz, expiresSeconds: 60, filename: "on-s3.tar.gz", contentType: "application/gzip" };
    const { url } = await stack.storage.presignBlob(asked, stack.asService("gateway"));
    const answer = await fetch(url);
    expect(answer.headers.get("content-disposition")).toContain('filename="on-s3.tar.gz"');
    expect(sha256Of(new Uint8Array(await answer.arrayBuffer()))).toBe(derived.sha256);

    stack.catalog.referenced.clear();
    expect(await stack.collectGarbage()).toMatchObject({ deletedBlobs: 1 });
    expect(await stack.keys()).toEqual([]);
    expect(await stack.localFiles()).toEqual([]);
  });

  it("keeps nothing of what is refused, aborted or cut short", async () => {
    const before = await stack.everything();
    expect(await reasonOf(stack.upload(noise(300_000)))).not.toBe("none");
    expect(await reasonOf(stack.upload(zipOf(pluginFiles()), { size: 5 }))).toBe("SIZE_MISMATCH");
    const { id: uploadId } = await stack.upload(zipOf(pluginFiles()));
    await stack.storage.abortUpload({ uploadId }, stack.asPublisher());
    expect(await stack.everything()).toEqual(before);
  });

  it("lets collectors and publishers of the same content run side by side", async () => {
    const bytes = zipOf(pluginFiles({ name: "contended" }));
    let references = 0;
    let isOver = false;
    const collecting = (async () => {
      while (!isOver) await stack.collectGarbage();
    })();
    const publish = async (): Promise<void> => {
      const upload = await stack.upload(bytes);
      references++;
      stack.catalog.referenced.add(upload.sha256);
      const committed = await reasonOf(stack.commit(upload.id));
      expect(["none", "BLOB_BUSY", "UPLOAD_NOT_FOUND"]).toContain(committed);
      if (committed === "none") {
        expect((await stack.read({ sha256: upload.sha256 })).bytes.equals(bytes)).toBe(true);
      }
      if (--references === 0) stack.catalog.referenced.clear();
    };
    for (let round = 0; round < 8; round++) await Promise.all([publish(), publish()]);
    isOver = true;
    await collecting;
    await stack.collectGarbage();
    expect(await stack.keys()).toEqual([]);
  });
});
