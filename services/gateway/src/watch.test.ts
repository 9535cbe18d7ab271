import { CatalogServiceDefinition } from "@registry/contracts/catalog";
import { createLogger, type GrpcServer, startGrpcServer, systemClock } from "@registry/kit";
import { createTestSurroundings, type TestSurroundings } from "@registry/kit/testing";
import { afterEach, expect, it, vi } from "vitest";
import { replicasOf } from "./replicas.ts";
import { FakeChanges, fakeService } from "./testing/fakes.ts";
import { ChangeWatch } from "./watch.ts";

interface Replica {
  readonly around: TestSurroundings;
  readonly server: GrpcServer;
  readonly changes: FakeChanges;
}

const replicas: Replica[] = [];
let watch: ChangeWatch | undefined;

async function replica(instance: string, port = 0): Promise<Replica> {
  const around = createTestSurroundings({ service: "gateway" });
  const changes = new FakeChanges();
  changes.instance = instance;
  const table = fakeService(CatalogServiceDefinition, { watchChanges: (_r, { signal }) => changes.watch(signal) });
  const server = await startGrpcServer([table], around.pipeline, { host: "127.0.0.1", port });
  const made = { around, server, changes };
  replicas.push(made);
  return made;
}

afterEach(async () => {
  watch?.close();
  for (const { server, around } of replicas.splice(0)) {
    await server.close(0);
    around.close();
  }
});

it("hears every replica, and trusts nothing while one of them is silent", async () => {
  const [first, second] = [await replica("one"), await replica("two")];
  const heard: string[] = [];
  let gaps = 0;
  watch = new ChangeWatch({
    clients: createTestSurroundings().clients,
    target: `ipv4:127.0.0.1:${first.server.port},127.0.0.1:${second.server.port}`,
    resolve: () => Promise.reject(new Error("not needed")),
    clock: systemClock,
    log: createLogger("silent"),
    onNames: (names) => void heard.push(...names),
    onGap: () => {
      gaps += 1;
    },
  });
  await watch.start();
  await vi.waitFor(() => expect(watch?.fresh()).toBe(true), { timeout: 5000 });
  first.changes.announce("pump");
  second.changes.announce("valve", "gauge");
  await vi.waitFor(() => expect([...heard].sort()).toEqual(["gauge", "pump", "valve"]));

  const before = gaps;
  await second.server.close(0);
  await vi.waitFor(() => expect(watch?.fresh()).toBe(false), { timeout: 5000 });
  expect(gaps).toBeGreaterThan(before);
  // One is heard, so the gateway is of use without its cache, for as long as the other is away.
  const heardAt = watch.lastHeardAt;
  await vi.waitFor(() => expect(watch?.lastHeardAt).toBeGreaterThan(heardAt));
  await replica("three", second.server.port);
  await vi.waitFor(() => expect(watch?.fresh()).toBe(true), { timeout: 15_000 });
});

it("finds replicas that come and forgets those that go", async () => {
  const first = await replica("one");
  let addresses = ["127.0.0.1"];
  watch = new ChangeWatch({
    clients: createTestSurroundings().clients,
    target: `dns:///catalog:${first.server.port}`,
    resolve: async () => addresses,
    clock: systemClock,
    log: createLogger("silent"),
    onNames: () => undefined,
    onGap: () => undefined,
  });
  await watch.start();
  await vi.waitFor(() => expect(watch?.fresh()).toBe(true), { timeout: 5000 });
  addresses = ["127.0.0.1", "127.0.0.2"];
  await vi.waitFor(() => expect(watch?.fresh()).toBe(false), { timeout: 5000 });
  addresses = ["127.0.0.1"];
  await vi.waitFor(() => expect(watch?.fresh()).toBe(true), { timeout: 5000 });
  addresses = [];
  await vi.waitFor(() => expect(watch?.fresh()).toBe(false), { timeout: 5000 });
});

it.each([
  ["catalog:9090", ["ipv4:10.0.0.1:9090", "ipv6:[fd00::1]:9090"]],
  ["dns:///catalog:9090", ["ipv4:10.0.0.1:9090", "ipv6:[fd00::1]:9090"]],
  ["dns://10.0.0.53/catalog:9090", ["ipv4:10.0.0.1:9090", "ipv6:[fd00::1]:9090"]],
  ["ipv4:10.0.0.7:1,10.0.0.8:2", ["ipv4:10.0.0.7:1", "ipv4:10.0.0.8:2"]],
  ["ipv6:[::1]:9090", ["ipv6:[::1]:9090"]],
])("reads %s", async (target, expected) => {
  const asked: string[] = [];
  const resolve = async (host: string): Promise<string[]> => {
    asked.push(host);
    return ["fd00::1", "10.0.0.1", "10.0.0.1"];
  };
  expect((await replicasOf(target, resolve)).sort()).toEqual([...expected].sort());
  expect(asked.every((host) => host === "catalog")).toBe(true);
});
