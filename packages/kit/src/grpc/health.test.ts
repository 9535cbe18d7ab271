import { StorageServiceDefinition } from "@registry/contracts/storage";
import { createChannel, createClient } from "nice-grpc";
import { HealthDefinition } from "nice-grpc-server-health";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestSurroundings, type TestSurroundings } from "../testing.ts";
import { Clients } from "./clients.ts";
import { type GrpcServer, startGrpcServer } from "./server.ts";
import { anyone, defineService, services } from "./table.ts";

const unused = { allow: anyone, handle: () => Promise.reject(new Error("unused")) };
let entered = 0;
let release = (): void => undefined;
const released = new Promise<void>((resolve) => {
  release = resolve;
});

const table = defineService(StorageServiceDefinition, {
  uploadPackage: unused,
  getUpload: {
    allow: anyone,
    handle: async () => {
      entered += 1;
      await released;
      return { upload: { id: "done" } };
    },
  },
  commitUpload: unused,
  abortUpload: unused,
  /** Without end, and deaf to its signal between two messages. */
  readBlob: {
    allow: services("catalog"),
    maxDurationMs: 0,
    handle: async function* (_request, { signal }) {
      yield { part: { $case: "chunk" as const, value: new Uint8Array(1) } };
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      yield { part: { $case: "chunk" as const, value: new Uint8Array(1) } };
    },
  },
  readPackageFile: { allow: anyone, handle: async function* () {} },
  runPackageTests: unused,
  presignBlob: unused,
  collectGarbage: unused,
  check: unused,
});

const name = StorageServiceDefinition.fullName;
let around: TestSurroundings;
let server: GrpcServer;
let holds = true;
beforeAll(async () => {
  around = createTestSurroundings({ service: "catalog" });
  const serves = async (asked: string): Promise<boolean | undefined> =>
    asked === "" || asked === name ? holds : undefined;
  server = await startGrpcServer([table], around.pipeline, { host: "127.0.0.1", port: 0 }, { serves });
});
afterAll(async () => {
  await server.close(0);
  around.close();
});

describe("gRPC health", () => {
  it("says what holds at the moment, to those who ask and to those who watch, and ends with the server", async () => {
    const channel = createChannel(`127.0.0.1:${server.port}`);
    const health = createClient(HealthDefinition, channel);
    const addresses = new Map([[name, `127.0.0.1:${server.port}`]]);
    const clients = new Clients({ ...around, addresses }, "catalog");
    const storage = clients.of(StorageServiceDefinition);

    expect([(await health.check({ service: "" })).status, (await health.check({ service: name })).status]).toEqual([
      1, 1,
    ]);
    await expect(health.check({ service: "no.Such" })).rejects.toThrow(/NOT_FOUND/);
    const heard = { whole: [] as number[], own: [] as number[], other: [] as number[] };
    const follow = async (service: string, into: number[]): Promise<void> => {
      for await (const { status } of health.watch({ service })) into.push(status);
    };
    const ended = Promise.all([
      follow("", heard.whole),
      follow(name, heard.own),
      follow("no.Such", heard.other).then(() => "ended"),
    ]);
    await expect.poll(() => heard).toEqual({ whole: [1], own: [1], other: [3] });
    holds = false;
    await expect.poll(() => heard).toEqual({ whole: [1, 2], own: [1, 2], other: [3] });
    expect((await health.check({ service: name })).status).toBe(2);
    holds = true;
    await expect.poll(() => heard.own).toEqual([1, 2, 1]);

    const endless = Array.fromAsync(storage.readBlob({}, { as: "service", timeoutMs: 0 })).catch((e: unknown) => e);
    const working = storage.getUpload({ uploadId: "x" });
    await expect.poll(() => entered).toBe(1);
    const closed = server.close(20_000);
    // Streams without end would hold it up for all the time that it gives to work under way.
    await ended;
    expect(heard.own).toEqual([1, 2, 1, 2]);
    expect(await endless).toMatchObject({ kind: "unavailable" });
    release();
    expect((await working).upload?.id).toBe("done");
    await closed;
    clients.close();
    channel.close();
  });
});
