import { expect, it, vi } from "vitest";
import { createLogger } from "./log.ts";
import { Periodic } from "./periodic.ts";
import { activeTrace, inTrace } from "./telemetry/context.ts";

const quiet = { log: createLogger("silent"), failed: "not done" };

it("runs at intervals, and one at a time", async () => {
  let [underWay, most, runs] = [0, 0, 0];
  const periodic = new Periodic(
    async () => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay -= 1;
      runs += 1;
    },
    { everyMs: 1, ...quiet },
  );
  periodic.start();
  await vi.waitUntil(() => runs >= 3);
  await periodic.close();
  expect({ most, underWay }).toEqual({ most: 1, underWay: 0 });
  const before = runs;
  await periodic.kick();
  periodic.start();
  expect(runs).toBe(before);
});

it("lets those who ask for a run meanwhile wait for the one under way, and never fails", async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  let runs = 0;
  const periodic = new Periodic(
    () => {
      runs += 1;
      return promise;
    },
    { everyMs: 60_000, ...quiet },
  );
  const both = [periodic.kick(), periodic.kick()];
  reject(new Error("away"));
  await Promise.all(both);
  expect(runs).toBe(1);
  await periodic.close();
});

it("tells the first failure of a row, and the others in a low voice", async () => {
  const told: string[] = [];
  const log = Object.assign(createLogger("silent"), {
    warn: () => told.push("warn"),
    debug: () => told.push("debug"),
  });
  let away = true;
  const work = () => (away ? Promise.reject(new Error("away")) : Promise.resolve());
  const periodic = new Periodic(work, { everyMs: 60_000, log, failed: "not done" });
  for (away of [true, true, false, true]) await periodic.kick();
  expect(told).toEqual(["warn", "debug", "warn"]);
  await periodic.close();
});

it("is part of no trace, whoever sets it off", async () => {
  const trace = { traceId: "1".repeat(32), spanId: "2".repeat(16), flags: 1 };
  const seen: unknown[] = [];
  const periodic = new Periodic(async () => void seen.push(activeTrace()), { everyMs: 60_000, ...quiet });
  await inTrace(trace, () => periodic.kick());
  expect(seen).toEqual([undefined]);
  await periodic.close();
});
