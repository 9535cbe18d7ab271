import { describe, expect, it } from "vitest";
import { probe, Readiness, type Service, sharedChecks } from "./index.ts";
import { TestClock } from "./testing.ts";

const service = (name: Service["name"], checks: Service["checks"], ...fullNames: string[]): Service => ({
  name,
  tables: fullNames.map((fullName) => ({ definition: { name: fullName, fullName, methods: {} }, rows: {} })),
  start: async () => undefined,
  checks,
  close: async () => undefined,
});

describe("readiness", () => {
  it("is that of every service, the bus apart", async () => {
    const clock = new TestClock();
    const readiness = new Readiness(clock);
    const held = { database: true, bus: false };
    readiness.follow(service("catalog", async () => ({ ...held }), "x.Catalog"));
    readiness.follow(service("storage", async () => ({ storage: true, database: true }), "x.Storage"));
    expect(await readiness.state()).toMatchObject({ ready: false, checks: { process: false } });
    readiness.begin();
    expect(await readiness.state()).toEqual({ ready: true, checks: { database: true, bus: false, storage: true } });
    held.database = false;
    clock.advance(1000);
    expect(await readiness.state()).toEqual({ ready: false, checks: { database: false, bus: false, storage: true } });
    const asked = ["", "x.Catalog", "x.Storage", "x.Other"].map((name) => readiness.serves(name));
    expect(await Promise.all(asked)).toEqual([false, false, true, undefined]);
  });

  it("is over for all once the process is about to end", async () => {
    const readiness = new Readiness(new TestClock());
    readiness.follow(service("auth", async () => ({ database: true }), "x.Auth"));
    readiness.begin();
    expect([await readiness.serves(""), await readiness.serves("x.Auth")]).toEqual([true, true]);
    readiness.end();
    expect(await readiness.state()).toEqual({ ready: false, checks: { database: true, process: false } });
    expect([await readiness.serves(""), await readiness.serves("x.Auth")]).toEqual([false, false]);
  });

  it("is asked of stores once for all that ask at once, and again a moment later", async () => {
    const clock = new TestClock();
    let asked = 0;
    const checks = sharedChecks(
      "auth",
      async () => {
        asked += 1;
        return { database: true };
      },
      clock,
    );
    await Promise.all(Array.from({ length: 1000 }, checks));
    await checks();
    expect(asked).toBe(1);
    clock.advance(1000);
    await checks();
    expect(asked).toBe(2);
  });

  it("is known within two seconds where a store says nothing, and where checks break", async () => {
    const never = new Promise<never>(() => undefined);
    const readiness = new Readiness(new TestClock());
    readiness.follow(service("auth", async () => ({ database: await probe(() => never) })));
    readiness.follow(service("catalog", () => never));
    readiness.follow(service("storage", () => Promise.reject(new Error("broken"))));
    readiness.begin();
    expect(await readiness.state()).toEqual({
      ready: false,
      checks: { database: false, catalog: false, storage: false },
    });
  });
});
