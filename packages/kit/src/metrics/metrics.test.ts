import { StorageServiceDefinition } from "@registry/contracts/storage";
import { RegistryError, unavailable } from "@registry/domain";
import { afterEach, describe, expect, it } from "vitest";
import { Clients } from "../grpc/clients.ts";
import { startGrpcServer } from "../grpc/server.ts";
import { anyone, type ServiceTable } from "../grpc/table.ts";
import { createMetrics, type Metrics } from "../metrics.ts";
import { createTestSurroundings, type TestSurroundings } from "../testing.ts";
import { exportReadiness } from "./checks.ts";
import { outboxSample } from "./events.ts";

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Series whose name begins like this, with their values, as a scrape tells them. */
async function scrape({ registry }: Metrics, start: string): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split("\n").filter((line) => line.startsWith(start));
  return Object.fromEntries(lines.map((line) => [line.replace(/ \S+$/, ""), Number(line.replace(/^.* /, ""))]));
}

const service = StorageServiceDefinition.fullName;
const series = (name: string, method: string, code?: string): string =>
  `${name}{service="${service}",method="${method}"${code === undefined ? "" : `,code="${code}"`}}`;

/** A storage service that does what its test says. */
const tableOf = (getUpload: (id: string) => Promise<object>): ServiceTable => ({
  definition: StorageServiceDefinition,
  rows: {
    getUpload: { allow: anyone, handle: (request) => getUpload((request as { uploadId: string }).uploadId) },
    readBlob: {
      allow: anyone,
      maxDurationMs: 0,
      handle: async function* () {
        for (;;) yield { part: { $case: "chunk", value: new Uint8Array(1) } };
      },
    },
  },
});

describe.each(["in one process", "over the wire"])("calls %s", (shape) => {
  async function start(table: ServiceTable): Promise<{ around: TestSurroundings; clients: Clients }> {
    const around = createTestSurroundings();
    closers.push(() => around.close());
    if (shape === "in one process") {
      around.host(table);
      return { around, clients: around.clients };
    }
    const server = await startGrpcServer([table], around.pipeline, { host: "127.0.0.1", port: 0 });
    const clients = new Clients({ ...around, addresses: new Map([[service, `127.0.0.1:${server.port}`]]) }, "gateway");
    closers.push(
      () => server.close(1000),
      () => clients.close(),
    );
    return { around, clients };
  }

  it("are counted on both sides by method and code, and while they last", async () => {
    const inside = Promise.withResolvers<void>();
    const { around, clients } = await start(
      tableOf(async (id) => {
        if (id === "none") throw new RegistryError("not_found", "UPLOAD_NOT_FOUND", "Upload not found");
        if (id === "bug") throw new TypeError("of ours");
        if (id === "wait") await inside.promise;
        return {};
      }),
    );
    const storage = clients.of(StorageServiceDefinition);
    await storage.getUpload({ uploadId: "there" });
    for (const uploadId of ["none", "none", "bug"]) await expect(storage.getUpload({ uploadId })).rejects.toThrow();
    const waiting = storage.getUpload({ uploadId: "wait" });
    for (const side of ["server", "client"]) {
      const inFlight = `registry_grpc_${side}_in_flight`;
      await expect.poll(() => scrape(around.metrics, inFlight)).toEqual({ [series(inFlight, "GetUpload")]: 1 });
    }
    inside.resolve();
    await waiting;
    for (const side of ["server", "client"]) {
      const inFlight = `registry_grpc_${side}_in_flight`;
      expect(await scrape(around.metrics, inFlight)).toEqual({ [series(inFlight, "GetUpload")]: 0 });
      const count = `registry_grpc_${side}_duration_seconds_count`;
      expect(await scrape(around.metrics, count)).toEqual({
        [series(count, "GetUpload", "OK")]: 2,
        [series(count, "GetUpload", "NOT_FOUND")]: 2,
        [series(count, "GetUpload", "INTERNAL")]: 1,
      });
    }
  });

  it("whose reader leaves early are counted as given up", async () => {
    const { around, clients } = await start(tableOf(async () => ({})));
    for await (const _ of clients.of(StorageServiceDefinition).readBlob({ sha256: "x" })) break;
    for (const side of ["server", "client"]) {
      const count = `registry_grpc_${side}_duration_seconds_count`;
      const expected = { [series(count, "ReadBlob", "CANCELLED")]: 1 };
      await expect.poll(() => scrape(around.metrics, count)).toEqual(expected);
    }
  });
});

describe("a call that is made once more", () => {
  it("is one call of its caller's, several of its service's, and counted as retried", async () => {
    let attempts = 0;
    const around = createTestSurroundings();
    const table = tableOf(async () => {
      attempts += 1;
      if (attempts === 1) throw unavailable("The store");
      return {};
    });
    const server = await startGrpcServer([table], around.pipeline, { host: "127.0.0.1", port: 0 });
    const clients = new Clients({ ...around, addresses: new Map([[service, `127.0.0.1:${server.port}`]]) }, "gateway");
    closers.push(
      () => server.close(1000),
      () => clients.close(),
      () => around.close(),
    );
    await clients.of(StorageServiceDefinition).getUpload({ uploadId: "x" });
    const retries = "registry_grpc_client_retries_total";
    expect(await scrape(around.metrics, retries)).toEqual({ [series(retries, "GetUpload")]: 1 });
    const [client, own] = [
      "registry_grpc_client_duration_seconds_count",
      "registry_grpc_server_duration_seconds_count",
    ];
    expect(await scrape(around.metrics, client)).toEqual({ [series(client, "GetUpload", "OK")]: 1 });
    expect(await scrape(around.metrics, own)).toEqual({
      [series(own, "GetUpload", "UNAVAILABLE")]: 1,
      [series(own, "GetUpload", "OK")]: 1,
    });
  });
});

describe("a process", () => {
  it("tells its version, and no gauge by the name of a counter", async () => {
    const metrics = createMetrics("1.2.3");
    expect(await scrape(metrics, "registry_build_info")).toEqual({ 'registry_build_info{version="1.2.3"}': 1 });
    const families = await metrics.registry.getMetricsAsJSON();
    const total = families.filter(({ name }) => name.endsWith("_total"));
    expect(new Set(total.map(({ type }) => type as unknown))).toEqual(new Set(["counter"]));
    expect(Object.values(await scrape(metrics, "registry_event_loop_active_seconds_total"))[0]).toBeGreaterThan(0);
  });

  it("shows how its caches do", async () => {
    const metrics = createMetrics();
    let hits = 3;
    metrics.showCache("answers", () => ({ hits, misses: 2, entries: 4, bytes: 50 }));
    metrics.showCache("identities", () => ({ hits: 0, misses: 0, entries: 1 }));
    hits = 5;
    expect(await scrape(metrics, "registry_cache")).toEqual({
      'registry_cache_hits_total{cache="answers"}': 5,
      'registry_cache_hits_total{cache="identities"}': 0,
      'registry_cache_misses_total{cache="answers"}': 2,
      'registry_cache_misses_total{cache="identities"}': 0,
      'registry_cache_entries{cache="answers"}': 4,
      'registry_cache_entries{cache="identities"}': 1,
      'registry_cache_bytes{cache="answers"}': 50,
    });
  });

  it("shows its checks, asked once for all that one scrape tells of them", async () => {
    const metrics = createMetrics();
    let asked = 0;
    exportReadiness(metrics, async () => {
      asked += 1;
      return { ready: true, checks: { database: true, bus: false } };
    });
    expect(await scrape(metrics, "registry_")).toMatchObject({
      registry_ready: 1,
      'registry_check_up{check="database"}': 1,
      'registry_check_up{check="bus"}': 0,
    });
    expect(asked).toBe(1);
  });
});

describe("an outbox", () => {
  it("is told of as it is, and not at all where its store is away", async () => {
    const metrics = createMetrics();
    let isAway = false;
    const oldest = new Date(0);
    const clock = { now: () => new Date(7000) };
    const sample = outboxSample(metrics.events, "catalog", clock, async () => {
      if (isAway) throw unavailable("The store");
      return { collection: "plugins", pending: 3, oldest };
    });
    await sample();
    expect(await scrape(metrics, "registry_outbox_")).toEqual({
      'registry_outbox_pending{collection="catalog.plugins"}': 3,
      'registry_outbox_oldest_pending_seconds{collection="catalog.plugins"}': 7,
    });
    isAway = true;
    await expect(sample()).rejects.toMatchObject({ kind: "unavailable" });
    expect(await scrape(metrics, "registry_outbox_")).toEqual({});
  });
});
