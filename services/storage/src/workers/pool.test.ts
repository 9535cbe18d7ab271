import { defaultArchiveLimits } from "@registry/archive";
import { RegistryError } from "@registry/domain";
import { afterEach, describe, expect, it } from "vitest";
import { Inspector } from "../inspector.ts";
import { WorkerPool } from "./pool.ts";

/** A worker that does what the path of its task says. */
const puppet = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ input: { path } }) => {
      if (path === "crash") throw new Error("crashed");
      if (path === "exit") process.exit(3);
      if (path === "hang") for (;;);
      if (path === "wait") return;
      if (path === "fail") parentPort.postMessage({ outcome: "failed", error: "a fault" });
      else if (path === "refuse") parentPort.postMessage({
        outcome: "refused", kind: "rejected", reason: "BAD", message: "bad", fields: [{ pointer: "/a", reason: "b" }],
      });
      else parentPort.postMessage({ outcome: "done", output: { format: path } });
    });
  `)}`,
);

let pool: WorkerPool;
afterEach(() => pool.close());

function inspectorOf(timeoutMs = 60_000): (path: string, signal?: AbortSignal) => Promise<string> {
  pool = new WorkerPool(1, puppet);
  const inspector = new Inspector(pool, { limits: defaultArchiveLimits, timeoutMs });
  return async (path, signal = new AbortController().signal) =>
    (await inspector.inspect({ path, size: 1, folder: "" }, signal)).format;
}

describe("a worker", () => {
  it.each(["crash", "exit", "fail"])(
    "that fails by %s is an error, no pass and no refusal, and the next task passes",
    async (how) => {
      const inspect = inspectorOf();
      const failure = await inspect(how).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(failure).not.toBeInstanceOf(RegistryError);
      expect(await inspect("next")).toBe("next");
    },
  );

  it("passes a refusal on as it is", async () => {
    const refusal = inspectorOf()("refuse");
    await expect(refusal).rejects.toMatchObject({ kind: "rejected", reason: "BAD", fields: [{ pointer: "/a" }] });
    await expect(refusal).rejects.toBeInstanceOf(RegistryError);
  });

  it("that never ends is ended, and the next task passes", async () => {
    const inspect = inspectorOf(500);
    await expect(inspect("hang")).rejects.toMatchObject({ reason: "INSPECTION_TIMEOUT" });
    expect(await inspect("next")).toBe("next");
  });

  it("works no more for a caller that went away", async () => {
    const inspect = inspectorOf();
    const controller = new AbortController();
    const running = inspect("wait", controller.signal);
    const waiting = inspect("never begun", controller.signal);
    const next = inspect("next");
    controller.abort();
    await expect(running).rejects.toThrow("aborted");
    await expect(waiting).rejects.toThrow("aborted");
    expect(await next).toBe("next");
  });

  it("that is closed fails what it was doing and what waited for it", async () => {
    const inspect = inspectorOf();
    const results = Promise.allSettled([inspect("wait"), inspect("waiting")]);
    await pool.close();
    for (const result of await results) expect(result).toMatchObject({ reason: { kind: "unavailable" } });
    await expect(inspect("late")).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("has a queue with an end", async () => {
    const inspect = inspectorOf();
    const controller = new AbortController();
    const running = inspect("wait", controller.signal);
    const waiting = Array.from({ length: 32 }, (_, n) => inspect(`${n}`));
    await expect(inspect("one too many")).rejects.toMatchObject({ kind: "unavailable", reason: "STORAGE_BUSY" });
    controller.abort();
    await expect(running).rejects.toThrow("aborted");
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 32 }, (_, n) => `${n}`));
  });
});
