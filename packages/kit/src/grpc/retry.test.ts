import { setTimeout as pause } from "node:timers/promises";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import { RegistryError, unavailable } from "@registry/domain";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestSurroundings, type TestSurroundings } from "../testing.ts";
import { Clients } from "./clients.ts";
import { type GrpcServer, startGrpcServer } from "./server.ts";
import { anyone, defineService, type ServiceClient } from "./table.ts";

const unused = { allow: anyone, handle: () => Promise.reject(new Error("unused")) };
let attempts = 0;
/** How the first attempts end. */
let failures: RegistryError[] = [];
let after = 0;
/** How long an attempt takes. */
let slowMs = 0;

async function* chunks() {
  attempts += 1;
  if (slowMs > 0) await pause(slowMs);
  const failure = failures.shift();
  for (let sent = 0; sent < (failure === undefined ? 3 : after); sent += 1) {
    yield { part: { $case: "chunk" as const, value: new Uint8Array([sent]) } };
  }
  if (failure !== undefined) throw failure;
}

const table = defineService(StorageServiceDefinition, {
  uploadPackage: unused,
  getUpload: {
    allow: anyone,
    handle: async () => {
      attempts += 1;
      if (slowMs > 0) await pause(slowMs);
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return { upload: { id: "u" } };
    },
  },
  commitUpload: unused,
  abortUpload: unused,
  readBlob: { allow: anyone, handle: chunks },
  readPackageFile: { allow: anyone, handle: async function* () {} },
  runPackageTests: {
    allow: anyone,
    handle: async () => {
      attempts += 1;
      throw unavailable("The sandbox");
    },
  },
  presignBlob: unused,
  collectGarbage: unused,
  check: unused,
});

describe("a service that is away for a moment", () => {
  let around: TestSurroundings;
  let server: GrpcServer;
  let clients: Clients;
  let client: ServiceClient<typeof StorageServiceDefinition>;
  const away = (): RegistryError => unavailable("The store");
  const read = async (): Promise<number> => (await Array.fromAsync(client.readBlob({}))).length;

  beforeAll(async () => {
    around = createTestSurroundings();
    server = await startGrpcServer([table], around.pipeline, { host: "127.0.0.1", port: 0 });
    const addresses = new Map([[StorageServiceDefinition.fullName, `127.0.0.1:${server.port}`]]);
    clients = new Clients({ ...around, addresses }, "catalog");
    client = clients.of(StorageServiceDefinition);
  });
  afterAll(async () => {
    clients.close();
    around.close();
    await server.close(1000);
  });
  beforeEach(() => {
    attempts = 0;
    after = 0;
    slowMs = 0;
  });

  it("is asked again for what changes nothing, three times in all", async () => {
    failures = [away(), away()];
    expect((await client.getUpload({ uploadId: "u" })).upload?.id).toBe("u");
    expect(attempts).toBe(3);
    failures = [away(), away(), away()];
    await expect(client.getUpload({ uploadId: "u" })).rejects.toMatchObject({ kind: "unavailable" });
    expect(attempts).toBe(6);
  });

  it("is asked again for a stream that has not begun, and not for one that has", async () => {
    failures = [away()];
    expect(await read()).toBe(3);
    expect(attempts).toBe(2);
    failures = [away()];
    after = 1;
    await expect(read()).rejects.toMatchObject({ kind: "unavailable" });
    expect(attempts).toBe(3);
  });

  it("is given no more time for all attempts than the caller has", async () => {
    slowMs = 400;
    failures = [away(), away(), away(), away()];
    const late = { kind: "deadline_exceeded" };
    await expect(client.getUpload({ uploadId: "u" }, { timeoutMs: 650 })).rejects.toMatchObject(late);
    await expect(Array.fromAsync(client.readBlob({}, { timeoutMs: 650 }))).rejects.toMatchObject(late);
    expect(attempts).toBe(4);
  });

  it("is not asked again for what may have been done, nor where it has answered", async () => {
    await expect(client.runPackageTests({})).rejects.toMatchObject({ kind: "unavailable" });
    failures = [new RegistryError("not_found", "NONE", "none")];
    await expect(read()).rejects.toMatchObject({ kind: "not_found" });
    expect(attempts).toBe(2);
  });
});
