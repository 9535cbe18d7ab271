import { execFile } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { pluginZip } from "../builders/plugin.ts";
import { Actor } from "../e2e/actors.ts";
import { exchange } from "../e2e/http.ts";
import { namesIn } from "../e2e/shapes.ts";
import { temporaryFolder } from "../servers/cleanup.ts";
import { inherited } from "../servers/environment.ts";
import { stopServers } from "../servers/index.ts";
import { missingFor, printLogsOnFailure, type Stack, startStack } from "../stack/index.ts";
import { type Stores, startStores } from "../stack/stores.ts";
import { seeded } from "./seeded.ts";

const program = join(import.meta.dirname, "..", "..", "packages", "cli", "src", "main.ts");
const within = { timeout: 60_000, interval: 200 };

let stack: Stack | undefined;
printLogsOnFailure(() => stack);
afterEach(async () => {
  stack = undefined;
  await stopServers();
}, 120_000);

const checksOf = async (url: string): Promise<{ status: number; checks: Record<string, boolean> }> => {
  const answer = await exchange("GET", `${url}/ready`);
  return { status: answer.status, checks: answer.json<{ checks: Record<string, boolean> }>().checks };
};

const adminOf = ({ baseUrls, adminToken }: Stack): Actor => new Actor("admin", baseUrls[0] ?? "", adminToken);

async function publishesAndReads(admin: Actor, name: string): Promise<void> {
  // Two services may still be about to connect anew, which is told by 503 with Retry-After; clients try again.
  await vi.waitFor(async () => {
    const { status } = await admin.publishes(pluginZip({ name }));
    expect([200, 201]).toContain(status);
  }, within);
  expect((await admin.reads(name)).status).toBe(200);
  expect((await admin.fetches(name, "1.0.0")).status).toBe(200);
}

describe.skipIf(missingFor("five"))("five processes", { timeout: 300_000 }, () => {
  it("become ready when their stores come up after them, in any order", async () => {
    const random = seeded();
    const stores: Stores = await startStores();
    const all = [stores.mongo, stores.nats, stores.minio];
    await Promise.all(all.map((store) => store.stop()));
    const starting = startStack("five", { stores });
    // It is awaited below; until then a failure must not end the test process.
    starting.catch(() => undefined);
    for (const store of random.shuffled(all)) {
      await new Promise((resolve) => setTimeout(resolve, random.below(3000)));
      await store.start();
    }
    stack = await starting;
    await publishesAndReads(adminOf(stack), "late-stores");
  });

  it("become ready in whatever order they are started, each by itself", async () => {
    const random = seeded();
    stack = await startStack("five");
    const running = stack;
    await running.stop();
    const ready: Promise<void>[] = [];
    const order = random.shuffled(running.names);
    for (const name of order) {
      ready.push(running.restart(name));
      const url = running.health.get(name) ?? "";
      // A process without its neighbours lives, ready or not.
      await vi.waitFor(async () => expect((await exchange("GET", `${url}/health`)).status).toBe(200), within);
    }
    expect([random.seed, order, (await Promise.allSettled(ready)).map(({ status }) => status)]).toEqual([
      random.seed,
      order,
      order.map(() => "fulfilled"),
    ]);
    await publishesAndReads(adminOf(running), "any-order");
  });

  it("go on publishing without the bus, and tell of it when it is back", async () => {
    stack = await startStack("five");
    const admin = adminOf(stack);
    const gateway = stack.baseUrls[0] ?? "";
    await publishesAndReads(admin, "with-bus");
    await stack.stores?.nats.stop();
    await vi.waitFor(
      async () => expect(await checksOf(gateway)).toMatchObject({ status: 200, checks: { bus: false } }),
      within,
    );
    for (const [name, url] of stack.health) expect([name, (await checksOf(url)).status]).toEqual([name, 200]);

    await publishesAndReads(admin, "without-bus");
    await vi.waitFor(
      async () => expect(namesIn(await admin.finds({ query: "without-bus" }))).toContain("without-bus"),
      within,
    );
    const recent = async (): Promise<string[]> => {
      const metrics = (await admin.gets("/api/v1/analytics/metrics")).json<{
        recent_publishes: { plugin_name: string }[];
      }>();
      return metrics.recent_publishes.map((each) => each.plugin_name);
    };
    expect(await recent()).not.toContain("without-bus");

    await stack.stores?.nats.start();
    await vi.waitFor(async () => expect(await recent()).toEqual(["without-bus", "with-bus"]), within);
    await vi.waitFor(async () => expect(await checksOf(gateway)).toMatchObject({ checks: { bus: true } }), within);
  });

  it("are not ready without the database or the storage, and ready again when those are back", async () => {
    stack = await startStack("five");
    const admin = adminOf(stack);
    const gateway = stack.baseUrls[0] ?? "";
    await publishesAndReads(admin, "before");
    const faults = [
      ["database", stack.stores?.mongo],
      ["storage", stack.stores?.minio],
    ] as const;
    for (const [check, store] of faults) {
      await store?.stop();
      await vi.waitFor(
        async () => expect(await checksOf(gateway)).toMatchObject({ status: 503, checks: { [check]: false } }),
        within,
      );
      const refused = await admin.publishes(pluginZip({ name: `while-${check}-is-away` }));
      expect([check, [503, 504].includes(refused.status), refused.text]).toEqual([check, true, expect.any(String)]);
      await store?.start();
      await vi.waitFor(async () => expect((await checksOf(gateway)).status).toBe(200), within);
      await vi.waitFor(() => publishesAndReads(admin, `after-${check}`), within);
    }
  });
});

describe("a process that cannot share what it keeps", () => {
  const serve = async (args: string[], env: Record<string, string>): Promise<{ code: unknown; output: string }> => {
    const { PATH, HOME, TMPDIR } = inherited();
    return new Promise((resolve) => {
      const options = { env: { PATH, HOME, TMPDIR, ...env }, timeout: 60_000 };
      execFile(process.execPath, [program, "serve", ...args], options, (error, stdout, stderr) => {
        resolve({ code: error?.code ?? 0, output: stdout + stderr });
      });
    });
  };

  it("refuses to start with fewer than all services, naming everything that is missing at once", async () => {
    const { code, output } = await serve(["catalog"], { DATA_DIR: "unused" });
    expect(code).toBe(2);
    for (const name of ["MONGODB_URL", "NATS_URL", "S3_ENDPOINT", "SECRET_KEY", "AUTH_ADDR", "STORAGE_ADDR"]) {
      expect(output).toContain(name);
    }
  });

  it("refuses settings that are wrong or unknown, all of them by name", async () => {
    const { code, output } = await serve([], {
      DATA_DIR: "unused",
      PORT: "many",
      LOG_LEVEL: "loud",
      LIMIT_PAKAGE_BYTES: "1",
    });
    expect(code).toBe(2);
    for (const name of ["PORT", "LOG_LEVEL", "LIMIT_PAKAGE_BYTES"]) expect(output).toContain(name);
  });

  it("refuses the data folder of another one that runs, which goes on", { timeout: 120_000 }, async () => {
    stack = await startStack("embedded");
    const dataDir = join(stack.folder, "data-registry");
    const { code, output } = await serve([], { DATA_DIR: dataDir, PORT: "0", GRPC_PORT: "0" });
    expect(code).toBe(1);
    expect(output).toMatch(/in use by another process/);
    await publishesAndReads(adminOf(stack), "first-come");
  });

  it("leaves nothing in a folder where it did not start", async () => {
    const folder = temporaryFolder("refused");
    const dataDir = join(folder.path, "data");
    mkdirSync(dataDir);
    expect((await serve(["gateway"], { DATA_DIR: dataDir })).code).toBe(2);
    expect(readdirSync(dataDir)).toEqual([]);
    folder.remove();
  });
});
