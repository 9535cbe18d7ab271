import { describe, expect, it } from "vitest";
import { delayAfter, restAsked } from "./schedule.ts";

describe("the plan of attempts", () => {
  it("waits longer each time, for a bit more than a day, and not all at once", () => {
    const planned = [5, 300, 1800, 7200, 18_000, 36_000, 36_000].map((seconds) => seconds * 1000);
    const ids = Array.from({ length: 50 }, (_, i) => `msg_${i}`);
    for (const [i, delay] of planned.entries()) {
      const delays = ids.map((id) => delayAfter(i + 1, id) ?? 0);
      for (const each of delays) expect(Math.abs(each - delay)).toBeLessThanOrEqual(delay / 10);
      expect(new Set(delays).size).toBeGreaterThan(40);
    }
    expect(delayAfter(8, "msg_0")).toBeUndefined();
  });

  it.each([
    [429, "120", 120_000],
    [503, "120", 120_000],
    [503, "Thu, 01 Jan 1970 00:02:00 GMT", 60_000],
    [503, "Thu, 01 Jan 2199 00:00:00 GMT", 3_600_000],
    [429, "999999999", 3_600_000],
    [429, "99999999999999999999", 3_600_000],
    [503, "9".repeat(400), 3_600_000],
    [429, "1e3", undefined],
    [429, "soon", undefined],
    [429, "-5", undefined],
    [429, "0", undefined],
    [500, "120", undefined],
    [429, undefined, undefined],
  ])("after %i with retry-after %s rests %s ms", (status, retryAfter, ms) => {
    expect(restAsked(status, retryAfter, new Date(60_000))).toBe(ms);
  });
});
