import { TestClock } from "@registry/kit/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { BytesCache, everyChange, TrustedCache } from "./cache.ts";

describe("answers kept ready", () => {
  let trusted: boolean;
  let clock: TestClock;
  let cache: TrustedCache<string>;

  beforeEach(() => {
    trusted = true;
    clock = new TestClock();
    cache = new TrustedCache({ clock, maxBytes: 1000, maxAgeMs: 4000, trusted: () => trusted });
  });

  it("are dropped with the names that they tell of, and lists with every name", () => {
    cache.store(cache.lease(), "a", "of a", 10, ["a"]);
    cache.store(cache.lease(), "b", "of b", 10, ["b"]);
    cache.store(cache.lease(), "list", "of all", 10, [everyChange]);
    cache.drop(["a"]);
    expect([cache.get("a"), cache.get("b"), cache.get("list")]).toEqual([undefined, "of b", undefined]);
  });

  it("are not believed while changes may go unheard, nor after their time", () => {
    cache.store(cache.lease(), "a", "1", 10, ["a"]);
    trusted = false;
    expect(cache.get("a")).toBeUndefined();
    cache.store(cache.lease(), "b", "2", 10, ["b"]);
    trusted = true;
    expect(cache.get("a")).toBe("1");
    expect(cache.get("b")).toBeUndefined();
    clock.advance(4001);
    expect(cache.get("a")).toBeUndefined();
    expect(cache.bytes).toBe(0);
  });

  it("are not kept when something changed while they were read", () => {
    const slow = cache.lease();
    cache.drop(["a"]);
    cache.store(slow, "a", "old", 10, ["a"]);
    expect(cache.get("a")).toBeUndefined();
    const other = cache.lease();
    cache.flush();
    cache.store(other, "a", "old", 10, ["a"]);
    expect(cache.get("a")).toBeUndefined();
  });

  it("stay within their memory, those in use longest", () => {
    for (let i = 0; i < 10; i++) cache.store(cache.lease(), `k${i}`, "v", 100, [`k${i}`]);
    expect(cache.get("k0")).toBe("v");
    cache.store(cache.lease(), "k10", "v", 100, ["k10"]);
    expect(cache.bytes).toBeLessThanOrEqual(1000);
    expect(cache.get("k0")).toBe("v");
    expect(cache.get("k1")).toBeUndefined();
    cache.store(cache.lease(), "huge", "v", 500, []);
    expect(cache.get("huge")).toBeUndefined();
    cache.drop(["k0"]);
    expect(cache.get("k0")).toBeUndefined();
  });

  it("bytes of packages make room, oldest first", () => {
    const bytes = new BytesCache(10);
    bytes.set("a", Buffer.alloc(4));
    bytes.set("b", Buffer.alloc(4));
    bytes.get("a");
    bytes.set("c", Buffer.alloc(4));
    expect([bytes.get("a")?.length, bytes.get("b"), bytes.get("c")?.length]).toEqual([4, undefined, 4]);
    bytes.set("d", Buffer.alloc(11));
    expect(bytes.get("d")).toBeUndefined();
  });
});
