import { expect, it } from "vitest";
import { grpcAddresses, networkSettings, planStack, portsNeeded, stackKinds } from "./plan.ts";

const ports = (count: number) => Array.from({ length: count }, (_, index) => 1000 + index);

it.each([
  ["embedded", 1],
  ["servers", 1],
  ["five", 5],
  ["five-by-two", 10],
] as const)("runs %s in %i processes on ports of their own", (kind, count) => {
  const plan = planStack(kind, ports(portsNeeded(kind)));
  expect(plan).toHaveLength(count);
  expect(new Set(plan.flatMap(({ httpPort, grpcPort }) => [httpPort, grpcPort])).size).toBe(2 * count);
  expect(new Set(plan.map(({ name }) => name)).size).toBe(count);
});

it.each(stackKinds)("refuses to plan %s with a port too few", (kind) => {
  expect(() => planStack(kind, ports(portsNeeded(kind) - 1))).toThrow("ports");
});

it("tells a process of its own where it listens only", () => {
  const plan = planStack("embedded", [8080, 9090]);
  expect(plan.map((planned) => networkSettings(plan, planned))).toEqual([
    { HOST: "127.0.0.1", PORT: "8080", GRPC_HOST: "127.0.0.1", GRPC_PORT: "9090" },
  ]);
});

it("tells every process where all replicas of the other services are", () => {
  const plan = planStack("five-by-two", ports(20));
  const gateway = plan.find(({ name }) => name === "gateway-2");
  const settings = gateway === undefined ? {} : networkSettings(plan, gateway);
  expect(settings).toMatchObject({ PORT: "1018", CATALOG_ADDR: "ipv4:127.0.0.1:1005,127.0.0.1:1007" });
  expect(grpcAddresses(plan, "catalog")).toEqual(["127.0.0.1:1005", "127.0.0.1:1007"]);

  const catalog = plan.find(({ name }) => name === "catalog-1");
  const inner = catalog === undefined ? {} : networkSettings(plan, catalog);
  expect(inner).toHaveProperty("METRICS_PORT", "1004");
  expect(inner).not.toHaveProperty("PORT");
  expect(inner).not.toHaveProperty("CATALOG_ADDR");
});
