import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { failure, putBytes, readBytes } from "../conformance.ts";
import type { Blobs } from "../port.ts";
import { openS3Blobs } from "./open.ts";

const unavailable = { kind: "unavailable", reason: "UNAVAILABLE" };
const closers: (() => unknown)[] = [];

/** A server that answers as the test says, but for the question whether the bucket exists. */
async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  bucket = { exists: true },
): Promise<Blobs> {
  const server = createServer((request, response) => {
    if (request.method === "HEAD" && request.url === "/bucket") response.writeHead(bucket.exists ? 200 : 404).end();
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKey: "access", secretKey: "secret" };
  const endpoint = `http://127.0.0.1:${port}`;
  const blobs = await openS3Blobs({ endpoint, bucket: "bucket", timeoutMs: 1000, ...credentials });
  closers.push(
    () => blobs.close(),
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return blobs;
}

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

describe("The S3 store", () => {
  it("creates only, as far as it can, on a server that knows no conditional writes", async () => {
    const objects = new Map<string, Buffer>();
    const blobs = await serve(async (request, response) => {
      const key = request.url ?? "";
      const found = objects.get(key);
      if (request.method === "PUT") objects.set(key, Buffer.concat(await request.toArray()));
      if (request.method === "DELETE") objects.delete(key);
      if (request.method === "HEAD") response.writeHead(found ? 200 : 404, { "content-length": found?.length ?? 0 });
      if (request.method === "GET")
        response.writeHead(200, { "content-length": found?.length ?? 0 }).write(found ?? "");
      response.end();
    });
    expect(await putBytes(blobs, "a/b", Buffer.from("first"))).toBe("created");
    expect(await putBytes(blobs, "a/b", Buffer.from("other"))).toBe("exists");
    expect((await readBytes(blobs, "a/b")).toString()).toBe("first");
    expect([...objects.keys()]).toEqual(["/bucket/a/b"]);
  });

  it("makes the bucket again where it was taken away", async () => {
    const bucket = { exists: true };
    const blobs = await serve((request, response) => {
      if (request.method === "PUT" && /^\/bucket\/?$/.test(request.url ?? "")) bucket.exists = true;
      const gone = "<Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>";
      if (bucket.exists) response.end();
      else response.writeHead(404).end(gone);
    }, bucket);
    await blobs.ping();
    bucket.exists = false;
    expect(await failure(blobs.ping())).toEqual(unavailable);
    await blobs.ping();
    expect(bucket.exists).toBe(true);
  });

  it("takes a body that was cut short for a failure", async () => {
    const blobs = await serve((_, response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write(Buffer.alloc(400), () => response.destroy());
    });
    expect(await failure(readBytes(blobs, "a/b"))).toEqual(unavailable);
  });

  it("takes a body that stops coming for a failure", async () => {
    const blobs = await serve((_, response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write(Buffer.alloc(400));
    });
    expect(await failure(readBytes(blobs, "a/b"))).toEqual(unavailable);
  });

  it("takes the whole object for a failure where a part was asked for", async () => {
    const blobs = await serve((_, response) => void response.writeHead(200, { "content-length": 9 }).end("all of it"));
    expect(await failure(readBytes(blobs, "a/b", { start: 4 }))).toEqual(unavailable);
    expect((await readBytes(blobs, "a/b")).toString()).toBe("all of it");
  });

  it.each([400, 401, 403, 405, 409, 429, 500, 501, 503])(
    "is away where the server answers %d to everything",
    async (status) => {
      const blobs = await serve((_, response) => void response.writeHead(status).end());
      const calls = [
        putBytes(blobs, "a/b", Buffer.alloc(100_000)),
        blobs.stat("a/b"),
        readBytes(blobs, "a/b"),
        blobs.move("a/b", "c/d"),
        blobs.delete("a/b"),
        Array.fromAsync(blobs.list("a/")),
        blobs.ping(),
      ];
      expect(await Promise.all(calls.map(failure))).toEqual(calls.map(() => unavailable));
    },
  );

  it.each(["not xml", "<a/>", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult"])(
    "takes no list that is %j for all there is",
    async (body) => {
      const blobs = await serve((_, response) => void response.writeHead(200).end(body));
      expect(await failure(Array.fromAsync(blobs.list("a/")))).toEqual(unavailable);
    },
  );

  it("does not go on for ever over a list whose pages repeat", async () => {
    const page =
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken></ListBucketResult>";
    const blobs = await serve((_, response) => void response.writeHead(200).end(page));
    expect(await failure(Array.fromAsync(blobs.list("a/")))).toEqual(unavailable);
  });

  it.each([
    [{ endpoint: "minio:9000" }, "/endpoint"],
    [{ endpoint: "ftp://minio" }, "/endpoint"],
    [{ endpoint: "http://minio/path" }, "/endpoint"],
    [{ publicEndpoint: "https://user:password@files.example.org" }, "/publicEndpoint"],
    [{ bucket: "Bucket" }, "/bucket"],
    [{ accessKey: "" }, "/accessKey"],
    [{ timeoutMs: 0 }, "/timeoutMs"],
  ])("cannot be opened with %j", async (change, pointer) => {
    const options = { endpoint: "http://localhost:1", bucket: "bucket", accessKey: "a", secretKey: "b", ...change };
    await expect(openS3Blobs(options)).rejects.toMatchObject({ reason: "INVALID_S3_OPTIONS", fields: [{ pointer }] });
  });
});
