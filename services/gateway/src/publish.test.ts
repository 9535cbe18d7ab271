import { createHash } from "node:crypto";
import { Plugin, Release, ReleaseState, Visibility } from "@registry/contracts/catalog";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import { RegistryError } from "@registry/domain";
import { startGrpcServer } from "@registry/kit";
import { createTestSurroundings } from "@registry/kit/testing";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { problemSchema } from "./schemas.ts";
import { type FakeNeighbours, type FakeStack, fakeService, startFakeStack } from "./testing/fakes.ts";
import { boundary, formHeaders, multipartBody, type Part, rawSocket, say } from "./testing/http.ts";

let stack: FakeStack;
let uploads: Map<string, Buffer>;
let aborted: string[];
let largestChunk: number;
let published: object[];
let publish: () => Promise<never> | undefined;

const closers: (() => Promise<void> | void)[] = [];

/** The same storage, with a wire in between. */
async function overTheWire(handlers: NonNullable<FakeNeighbours["storage"]>): Promise<typeof handlers> {
  const elsewhere = createTestSurroundings();
  const table = fakeService(StorageServiceDefinition, handlers);
  const server = await startGrpcServer([table], elsewhere.pipeline, { host: "127.0.0.1", port: 0 });
  const { client, close } = elsewhere.clients.at(StorageServiceDefinition, `127.0.0.1:${server.port}`);
  closers.push(close, () => server.close(0));
  return {
    uploadPackage: (messages, context) => client.uploadPackage(messages, { context }),
    abortUpload: (request, context) => client.abortUpload(request, { context }),
  };
}

async function start(where: string): Promise<void> {
  uploads = new Map();
  aborted = [];
  published = [];
  largestChunk = 0;
  publish = () => undefined;
  const storage: NonNullable<FakeNeighbours["storage"]> = {
    async uploadPackage(messages) {
      const chunks: Uint8Array[] = [];
      for await (const { part } of messages) {
        if (part?.$case !== "chunk") continue;
        largestChunk = Math.max(largestChunk, part.value.length);
        chunks.push(part.value);
      }
      const bytes = Buffer.concat(chunks);
      if (bytes.length === 0) throw new RegistryError("unsupported_media", "UNSUPPORTED_ARCHIVE", "empty");
      const id = `upload-${uploads.size}`;
      uploads.set(id, bytes);
      return { upload: { id, sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length } };
    },
    async abortUpload({ uploadId }) {
      aborted.push(uploadId);
      return {};
    },
  };
  stack = await startFakeStack({
    storage: where === "over the wire" ? await overTheWire(storage) : storage,
    catalog: {
      async publishRelease(request) {
        published.push(request);
        await publish();
        const state = ReleaseState.RELEASE_STATE_PUBLISHED;
        return {
          plugin: Plugin.fromPartial({ name: "pump", visibility: Visibility.VISIBILITY_PUBLIC }),
          release: Release.fromPartial({ version: "1.0.0", container: "zip", state }),
          created: true,
        };
      },
    },
  });
}
afterEach(async () => {
  await stack.close();
  for (const close of closers.splice(0)) await close();
});

const zip = Buffer.from("the bytes of a package");
const packagePart: Part = { name: "package", filename: "p.zip", content: zip };

function post(body: Buffer | string, headers: Record<string, string> = formHeaders): Promise<Response> {
  return fetch(`${stack.url}/api/v1/plugins`, {
    method: "POST",
    headers: { authorization: "Bearer publisher", ...headers },
    body,
  });
}
const code = async (response: Response): Promise<[number, string]> => [
  response.status,
  problemSchema.parse(await response.json()).code,
];

/** Every upload that there was has been dropped. */
function nothingLeft(): void {
  expect(aborted.sort()).toEqual([...uploads.keys()].sort());
}

describe.each(["in the process", "over the wire"])("publishing to a storage %s", (where) => {
  beforeEach(() => start(where));

  it("takes the parts in any order", async () => {
    const parts: Part[] = [
      packagePart,
      { name: "manifest", filename: "plugin.yaml", content: "name: pump\nversion: 1.0.0\n" },
      { name: "visibility", content: "internal" },
      { name: "channel", content: "beta" },
      { name: "sha256", content: createHash("sha256").update(zip).digest("hex") },
    ];
    for (const order of [parts, [...parts].reverse(), [...parts.slice(1), packagePart]]) {
      expect((await post(multipartBody(order))).status).toBe(201);
    }
    const expected = {
      expectedName: "pump",
      expectedVersion: "1.0.0",
      visibility: "VISIBILITY_INTERNAL",
      channel: "beta",
      dryRun: false,
      owner: "",
      team: "",
    };
    expect(published).toEqual([0, 1, 2].map((i) => ({ uploadId: `upload-${i}`, ...expected })));
    expect([...uploads.values()].every((bytes) => bytes.equals(zip))).toBe(true);
    expect(aborted).toEqual([]);
  });

  it("passes a package on in pieces, never whole", async () => {
    const bytes = Buffer.alloc(1024 * 1024, "x");
    expect((await post(multipartBody([{ ...packagePart, content: bytes }]))).status).toBe(201);
    expect(uploads.get("upload-0")?.equals(bytes)).toBe(true);
    expect(largestChunk).toBeLessThanOrEqual(512 * 1024);
  });

  it("counts the package's own bytes, and reads on after refusing it", async () => {
    const over = { ...packagePart, content: Buffer.alloc(1024 * 1024 + 1) };
    expect(await code(await post(multipartBody([over])))).toEqual([413, "PACKAGE_TOO_LARGE"]);
    expect(uploads.size).toBe(0);
    expect((await post(multipartBody([packagePart]))).status).toBe(201);
  });

  it.each([
    ["no package", [{ name: "manifest", filename: "m", content: "name: a" }], 400, "MISSING_PART"],
    ["nothing", [], 400, "MISSING_PART"],
    ["two packages", [packagePart, packagePart], 400, "DUPLICATE_PART"],
    [
      "two versions",
      [packagePart, ...[1, 2].map(() => ({ name: "version", content: "1.0.0" }))],
      400,
      "DUPLICATE_PART",
    ],
    ["another file", [packagePart, { name: "evil", filename: "x", content: "y" }], 400, "UNKNOWN_PART"],
    ["other bytes than promised", [packagePart, { name: "sha256", content: "0".repeat(64) }], 400, "DIGEST_MISMATCH"],
    ["no digest where one should be", [packagePart, { name: "sha256", content: "x" }], 400, "INVALID_DIGEST"],
    ["an unknown visibility", [packagePart, { name: "visibility", content: "secret" }], 400, "INVALID_FIELD"],
    ["a field that is too long", [packagePart, { name: "channel", content: "x".repeat(300) }], 400, "INVALID_FIELD"],
    [
      "a large manifest",
      [packagePart, { name: "manifest", filename: "m", content: "x".repeat(70_000) }],
      413,
      "MANIFEST_TOO_LARGE",
    ],
    ["very many parts", Array.from({ length: 30 }, (_, i) => ({ name: `n${i}`, content: "x" })), 413, "TOO_MANY_PARTS"],
    ["a name that is a trap", [packagePart, { name: "__proto__", content: "x" }], 400, "MALFORMED_MULTIPART"],
  ])("refuses %s and leaves nothing", async (_what, parts, status, reason) => {
    expect(await code(await post(multipartBody(parts as Part[])))).toEqual([status, reason]);
    nothingLeft();
    expect(published).toEqual([]);
    expect((await post(multipartBody([packagePart]))).status).toBe(201);
  });

  it.each([
    ["no multipart", "x", { "content-type": "application/octet-stream" }, 415],
    ["no media type", "x", { "content-type": "" }, 415],
    ["no boundary", "x", { "content-type": "multipart/form-data" }, 400],
  ])("refuses a body of %s", async (_what, body, headers, status) => {
    expect((await post(body, headers)).status).toBe(status);
  });

  it("drops the upload whatever fails behind it", async () => {
    publish = () => Promise.reject(new RegistryError("already_exists", "RELEASE_EXISTS", "other bytes"));
    expect(await code(await post(multipartBody([packagePart])))).toEqual([409, "RELEASE_EXISTS"]);
    nothingLeft();
    publish = () => Promise.reject(new TypeError("a bug"));
    expect((await post(multipartBody([packagePart]))).status).toBe(500);
    nothingLeft();
  });

  it("knows the caller before it reads the body", async () => {
    const start = `POST /api/v1/plugins HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=${boundary}\r\ncontent-length: 99999\r\n`;
    const answered = /\r\n\r\n\{.*\}$/s;
    expect(await say(stack.url, `${start}\r\n`, answered)).toContain("HTTP/1.1 401 ");
    expect(await say(stack.url, `${start}authorization: Bearer nobody\r\n\r\n`, answered)).toContain("HTTP/1.1 401 ");
    expect(await say(stack.url, `${start}authorization: Bearer reader\r\n\r\n`, answered)).toContain("HTTP/1.1 403 ");
  });

  it("leaves nothing of a form that is cut anywhere", async () => {
    const body = multipartBody([packagePart, { name: "manifest", filename: "m", content: "name: pump" }]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: body.length - 3 }), async (length) => {
        const response = await post(body.subarray(0, length));
        expect(response.status).toBeGreaterThanOrEqual(400);
        expect(response.status).toBeLessThan(500);
        expect(published).toEqual([]);
        nothingLeft();
      }),
      { numRuns: 40 },
    );
    expect((await post(body)).status).toBe(201);
  });

  it("leaves nothing of a form whose sender goes away", async () => {
    const body = multipartBody([packagePart, { name: "manifest", filename: "m", content: "x".repeat(5000) }]);
    const head = `POST /api/v1/plugins HTTP/1.1\r\nhost: a\r\nauthorization: Bearer publisher\r\ncontent-type: ${formHeaders["content-type"]}\r\ncontent-length: ${body.length}\r\n\r\n`;
    const socket = await rawSocket(stack.url);
    socket.write(Buffer.concat([Buffer.from(head), body.subarray(0, body.length - 3000)]));
    await vi.waitFor(() => expect(uploads.size).toBe(1));
    socket.destroy();
    await vi.waitFor(() => nothingLeft());
    expect(published).toEqual([]);
  });

  it("survives any body, and publishes right afterwards", async () => {
    const line = fc.oneof(
      fc.constant(`--${boundary}`),
      fc.constant(`--${boundary}--`),
      fc.constant('content-disposition: form-data; name="package"; filename="p"'),
      fc.constant('content-disposition: form-data; name="manifest"'),
      fc.constant(""),
      fc.string({ unit: "binary", maxLength: 40 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
        const response = await post(Buffer.from(lines.join("\r\n")));
        await response.arrayBuffer();
        expect([200, 201, 400, 413, 415, 422]).toContain(response.status);
      }),
      { numRuns: 150 },
    );
    expect((await post(multipartBody([packagePart]))).status).toBe(201);
  });
});
