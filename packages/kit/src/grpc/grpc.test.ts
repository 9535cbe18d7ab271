import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import { anonymous, errorKinds, RegistryError } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestSurroundings, type TestSurroundings, userCaller } from "../testing.ts";
import { Clients } from "./clients.ts";
import { type GrpcServer, startGrpcServer } from "./server.ts";
import { admins, anyone, defineService, holdersOf, type ServiceClient, services } from "./table.ts";

const never = new Promise<never>(() => {});
let closedStreams = 0;

/** A storage service whose upload ids say how its calls end. */
const table = defineService(StorageServiceDefinition, {
  uploadPackage: {
    allow: holdersOf("publish"),
    handle: async (parts) => {
      let size = 0;
      for await (const { part } of parts) if (part?.$case === "chunk") size += part.value.length;
      return { upload: { id: "u", size } };
    },
  },
  getUpload: {
    allow: anyone,
    handle: async ({ uploadId }, context) => {
      if (uploadId === "hang") await never;
      if (uploadId === "bug") throw new TypeError("the password is hunter2");
      if (uploadId === "who") return { upload: { name: context.caller.type } };
      const kind = errorKinds.find((known) => known === uploadId) ?? "internal";
      throw new RegistryError(kind, `SOME_${kind.toUpperCase()}`, `because of ${kind}`, {
        fields: [{ pointer: "/upload_id", reason: "it says so" }],
        retryAfterSeconds: 7,
      });
    },
  },
  commitUpload: { allow: services("catalog"), handle: async () => ({ sha256: "x" }) },
  abortUpload: { allow: services("catalog"), handle: async () => ({}) },
  readBlob: {
    allow: anyone,
    handle: async function* ({ length }) {
      try {
        for (let i = 0; i < length; i++) yield { part: { $case: "chunk" as const, value: new Uint8Array([i]) } };
        throw new RegistryError("out_of_range", "END", "no more");
      } finally {
        closedStreams++;
      }
    },
  },
  readPackageFile: { allow: anyone, handle: async function* () {} },
  runPackageTests: { allow: services("catalog"), handle: async () => ({}) },
  presignBlob: { allow: admins, handle: async () => ({ url: "u" }) },
  collectGarbage: { allow: admins, handle: async () => ({}) },
  check: { allow: services("gateway"), handle: async () => ({}) },
});

const shapes = ["in one process", "over the wire"] as const;

describe.each(shapes)("a call %s", (shape) => {
  let around: TestSurroundings;
  let server: GrpcServer | undefined;
  let remote: Clients | undefined;
  let client: ServiceClient<typeof StorageServiceDefinition>;

  beforeAll(async () => {
    around = createTestSurroundings({ service: "catalog" });
    if (shape === "in one process") {
      around.host(table);
      client = around.clients.of(StorageServiceDefinition);
    } else {
      server = await startGrpcServer([table], around.pipeline, { host: "127.0.0.1", port: 0 });
      const addresses = new Map([[StorageServiceDefinition.fullName, `127.0.0.1:${server.port}`]]);
      remote = new Clients({ ...around, addresses }, "catalog");
      client = remote.of(StorageServiceDefinition);
    }
  });
  afterAll(async () => {
    remote?.close();
    around.close();
    await server?.close(1000);
  });

  it.each(errorKinds)("carries %s with its reason, fields and pause", async (kind) => {
    const error = await client.getUpload({ uploadId: kind }).catch((e: unknown) => e);
    expect(error).toMatchObject({
      kind,
      reason: `SOME_${kind.toUpperCase()}`,
      message: `because of ${kind}`,
      fields: [{ pointer: "/upload_id", reason: "it says so" }],
      retryAfterSeconds: 7,
    });
  });

  it("tells nothing of a fault of its own", async () => {
    const error = await client.getUpload({ uploadId: "bug" }).catch((e: unknown) => e);
    expect(error).toMatchObject({ kind: "internal", reason: "INTERNAL" });
    expect(String((error as Error).message)).not.toContain("hunter2");
  });

  it("fails in time where the service hangs", async () => {
    await expect(client.getUpload({ uploadId: "hang" }, { timeoutMs: 50 })).rejects.toMatchObject({
      kind: "deadline_exceeded",
    });
  });

  it("denies by default and knows users from services", async () => {
    await expect(client.commitUpload({ uploadId: "u" }, around.as(anonymous))).rejects.toMatchObject({
      kind: "unauthenticated",
    });
    await expect(client.commitUpload({ uploadId: "u" }, around.as(userCaller("eve", "admin")))).rejects.toMatchObject({
      kind: "permission_denied",
    });
    expect(await client.commitUpload({ uploadId: "u" }, { as: "service" })).toEqual({ sha256: "x" });
    expect((await client.presignBlob({}, around.as(userCaller("root", "admin")))).url).toBe("u");
    const who = await client.getUpload({ uploadId: "who" }, around.as(userCaller("ann")));
    expect(who.upload?.name).toBe("user");
    await expect(
      client.getUpload(
        { uploadId: "who" },
        { context: { ...around.as(anonymous).context, authorization: "Bearer x" } as never },
      ),
    ).rejects.toMatchObject({ kind: "unauthenticated" });
  });

  it("streams up", async () => {
    async function* parts() {
      for (let i = 0; i < 10; i++) yield { part: { $case: "chunk" as const, value: new Uint8Array(1000) } };
    }
    const { upload } = await client.uploadPackage(parts(), around.as(userCaller("ann")));
    expect(upload?.size).toBe(10_000);
    await expect(client.uploadPackage(parts(), around.as(userCaller("bob", "user")))).rejects.toMatchObject({
      kind: "permission_denied",
    });
  });

  it("streams down, tells errors at the end, and frees a stream that nobody reads on", async () => {
    const got: number[] = [];
    const read = async (): Promise<void> => {
      for await (const { part } of client.readBlob({ length: 5 }))
        if (part?.$case === "chunk") got.push(part.value[0] ?? -1);
    };
    await expect(read()).rejects.toMatchObject({ kind: "out_of_range", reason: "END" });
    expect(got).toEqual([0, 1, 2, 3, 4]);
    const before = closedStreams;
    for await (const _ of client.readBlob({ length: 1_000_000 })) break;
    await expect.poll(() => closedStreams).toBe(before + 1);
  });
});

describe("bytes that are no message", () => {
  // Field 4 with wire type 7, which does not exist.
  const garbage = Buffer.from([0x27, 0xff]);
  let around: TestSurroundings;
  let server: GrpcServer;
  let client: Client;

  beforeAll(async () => {
    around = createTestSurroundings({ service: "catalog" });
    server = await startGrpcServer([table], around.pipeline, { host: "127.0.0.1", port: 0 });
    client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
  });
  afterAll(async () => {
    client.close();
    around.close();
    await server.close(1000);
  });

  const codeOf = (error: ServiceError | null): string => `${error?.code} ${error?.details}`;
  const refused = `${status.INVALID_ARGUMENT} The message is not what this method takes`;
  const plain = (bytes: Buffer): Buffer => bytes;

  it("are the caller's fault", async () => {
    const path = "/registry.storage.v1.StorageService/GetUpload";
    const said = await new Promise((resolve) => {
      client.makeUnaryRequest(path, plain, plain, garbage, (error) => resolve(codeOf(error)));
    });
    expect(said).toBe(refused);
  });

  it("are so among others in a stream", async () => {
    const path = "/registry.storage.v1.StorageService/UploadPackage";
    const said = await new Promise((resolve) => {
      const authorization = new Metadata();
      authorization.set("authorization", around.as(userCaller("ann")).context?.authorization ?? "");
      const call = client.makeClientStreamRequest(path, plain, plain, authorization, (error) => resolve(codeOf(error)));
      call.write(Buffer.from([0x12, 0x01, 0x41]));
      call.end(garbage);
    });
    expect(said).toBe(refused);
  });
});

it("says that a service which nobody runs is away", async () => {
  const around = createTestSurroundings();
  const addresses = new Map([[StorageServiceDefinition.fullName, "127.0.0.1:1"]]);
  const clients = new Clients({ ...around, addresses }, "catalog");
  await expect(clients.of(StorageServiceDefinition).getUpload({ uploadId: "x" })).rejects.toMatchObject({
    kind: "unavailable",
    retryAfterSeconds: 2,
  });
  clients.close();
});
