import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { type Blobs, openBlobs } from "@registry/blobs";
import { describeBlobs, failure, freshKey, putBytes, readBytes, sourceOf } from "@registry/blobs/conformance";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type MinioServer, minio, missing, stopServers } from "../servers/index.ts";

const unavailable = { kind: "unavailable", reason: "UNAVAILABLE" };
const timeoutMs = 2000;

describe.skipIf(missing("minio"))("S3", () => {
  let server: MinioServer;
  beforeAll(async () => {
    server = await minio();
  });
  afterAll(stopServers);

  const open = (
    change: Partial<{ publicEndpoint: string; secretKey: string; timeoutMs: number }> = {},
  ): Promise<Blobs> =>
    openBlobs({
      dataDir: "unused",
      s3: {
        endpoint: server.endpoint,
        region: "us-east-1",
        bucket: `conformance-${randomBytes(6).toString("hex")}`,
        accessKey: server.accessKey,
        secretKey: server.secretKey,
        ...change,
      },
    });

  describeBlobs("The S3 store", async () => ({
    blobs: await open({ publicEndpoint: server.endpoint }),
    presigns: true,
  }));

  it("gives no URLs where no public address is known", async () => {
    const blobs = await open();
    expect(await blobs.presignGet(freshKey(), { expiresSeconds: 60 })).toBeUndefined();
    await blobs.close();
  });

  it("signs URLs for the public address, not for its own", async () => {
    const blobs = await open({ publicEndpoint: "https://files.example.org" });
    const url = await blobs.presignGet("a/b", { expiresSeconds: 60 });
    expect(url).toMatch(/^https:\/\/files\.example\.org\/conformance-[0-9a-f]{12}\/a\/b\?/);
    await blobs.close();
  });

  it("is away with a secret that the server does not know, and tells nobody the secret", async () => {
    const secretKey = "not-the-secret-of-this-server";
    const blobs = await open({ secretKey });
    expect(await failure(blobs.ping())).toEqual(unavailable);
    const error: unknown = await blobs.stat(freshKey()).catch((thrown: unknown) => thrown);
    expect(`${error} ${JSON.stringify(error)} ${error instanceof Error ? error.cause : ""}`).not.toContain(secretKey);
    await blobs.close();
  });

  describe("with a server that fails", () => {
    let own: MinioServer;
    let blobs: Blobs;
    const bytes = randomBytes(3_000_000);
    beforeAll(async () => {
      own = await minio();
    });
    const reopen = async (): Promise<void> => {
      const { endpoint, accessKey, secretKey } = own;
      blobs = await openBlobs({
        dataDir: "unused",
        s3: { endpoint, bucket: "faults", accessKey, secretKey, timeoutMs },
      });
    };

    it("comes up later than the process", async (context) => {
      if (!own.controllable) context.skip();
      await own.stop();
      await reopen();
      const key = freshKey();
      expect(await failure(blobs.ping())).toEqual(unavailable);
      expect(await failure(putBytes(blobs, key, bytes))).toEqual(unavailable);
      expect(await failure(blobs.read(key))).toEqual(unavailable);
      await own.start();
      await vi.waitFor(() => blobs.ping(), { timeout: 20_000, interval: 50 });
      expect(await putBytes(blobs, key, bytes)).toBe("created");
      expect((await readBytes(blobs, key)).equals(bytes)).toBe(true);
    });

    it("keeps what it had acknowledged when it is killed", async (context) => {
      if (!own.controllable) context.skip();
      await reopen();
      const key = freshKey();
      await putBytes(blobs, key, bytes);
      await own.kill();
      expect(await failure(blobs.stat(key))).toEqual(unavailable);
      await own.start();
      await vi.waitFor(() => blobs.ping(), { timeout: 20_000, interval: 50 });
      expect((await readBytes(blobs, key)).equals(bytes)).toBe(true);
    });

    it("goes silent: every call ends, and afterwards all is well", async (context) => {
      if (!own.controllable) context.skip();
      await reopen();
      const [key, other] = [freshKey(), freshKey()];
      await putBytes(blobs, key, bytes);
      const long = freshKey();
      // More than the network's own buffers take while nobody reads.
      await putBytes(blobs, long, Buffer.alloc(40_000_000));
      const reader = await blobs.read(long);
      own.signal("SIGSTOP");
      try {
        // The signal takes its time.
        await vi.waitFor(async () => expect(await failure(blobs.ping())).toEqual(unavailable), { timeout: 20_000 });
        const calls = [
          blobs.stat(key),
          blobs.read(key),
          blobs.delete(other),
          blobs.move(key, other),
          putBytes(blobs, other, bytes),
          Array.fromAsync(blobs.list("")),
          reader.toArray().then(() => Promise.reject(new Error("It all came from a stopped server"))),
        ];
        const failures = await Promise.all(calls.map(failure));
        expect(failures).toEqual(calls.map(() => unavailable));
      } finally {
        own.signal("SIGCONT");
      }
      await vi.waitFor(() => blobs.ping(), { timeout: 20_000, interval: 50 });
      expect((await readBytes(blobs, key)).equals(bytes)).toBe(true);
    });

    it("dies while a body is on its way: the object is not there", async (context) => {
      if (!own.controllable) context.skip();
      await reopen();
      const key = freshKey();
      const source = new PassThrough();
      const writing = failure(blobs.put(key, source, { size: 1_000_000 }));
      source.write(Buffer.alloc(600_000));
      await new Promise((resolve) => source.once("drain", resolve));
      await own.kill();
      source.end(Buffer.alloc(400_000));
      expect(await writing).toEqual(unavailable);
      await own.start();
      await vi.waitFor(() => blobs.ping(), { timeout: 20_000, interval: 50 });
      expect(await blobs.stat(key)).toBeUndefined();
      expect(await blobs.put(key, sourceOf(bytes), { size: bytes.length })).toBe("created");
    });

    it("does not end a transfer because the other side takes its time", async () => {
      const { endpoint, accessKey, secretKey } = own;
      const s3 = { endpoint, bucket: "faults", accessKey, secretKey, timeoutMs: 300 };
      const threeTimesItsPatience = (): Promise<unknown> => once(AbortSignal.timeout(3 * s3.timeoutMs), "abort");
      const patient = await openBlobs({ dataDir: "unused", s3 });
      const key = freshKey();
      const source = new PassThrough();
      const writing = patient.put(key, source, { size: 400_000 });
      source.write(Buffer.alloc(200_000));
      await threeTimesItsPatience();
      source.end(Buffer.alloc(200_000));
      expect(await writing).toBe("created");
      const big = freshKey();
      await patient.put(big, sourceOf(Buffer.alloc(40_000_000)), { size: 40_000_000 });
      const reader = await patient.read(big);
      await threeTimesItsPatience();
      let came = 0;
      for await (const chunk of reader) came += chunk.length;
      expect(came).toBe(40_000_000);
      await patient.close();
    });
  });
});
