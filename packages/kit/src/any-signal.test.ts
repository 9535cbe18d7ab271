import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { anySignal } from "./any-signal.ts";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** What was made and let go in one turn can be collected in another only. */
async function collectAll(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
}

describe("a signal of several", () => {
  const forever = new AbortController().signal;

  it("is aborted with the first of them and says its reason", () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const any = anySignal(first.signal, second.signal);
    expect(any.aborted).toBe(false);
    second.abort("second");
    expect(any).toMatchObject({ aborted: true, reason: "second" });
  });

  it("knows of an abort that nobody listened to and whose source is gone", async () => {
    const ended = (): AbortSignal => {
      const source = new AbortController();
      const inner = anySignal(source.signal, forever);
      const outer = anySignal(inner, forever);
      source.abort();
      return outer;
    };
    const signals = Array.from({ length: 100 }, ended);
    await collectAll();
    expect(signals.filter(({ aborted }) => !aborted)).toEqual([]);
  });

  it("waits for a time that nobody else holds", async () => {
    const signal = anySignal(anySignal(AbortSignal.timeout(1), forever), forever);
    await collectAll();
    await expect.poll(() => signal.aborted).toBe(true);
  });

  it("can be collected itself, however long its sources live", async () => {
    const refs = Array.from({ length: 100 }, () => new WeakRef(anySignal(forever, forever)));
    await collectAll();
    expect(refs.filter((ref) => ref.deref() !== undefined)).toHaveLength(0);
  });
});
