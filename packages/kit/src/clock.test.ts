import { expect, it } from "vitest";
import { isRecent, systemIds } from "./clock.ts";
import { TestClock } from "./testing.ts";

it("makes ids of version 7, in order of their time and never the same one twice", async () => {
  const first = systemIds.unique();
  const startedAt = Date.now();
  const many = new Set<string>();
  // The clock moves on in between.
  while (many.size < 1000 || Date.now() === startedAt) many.add(systemIds.unique());
  expect(
    [...many].filter((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
  ).toEqual([]);
  const times = [first, ...many].map((id) => Number.parseInt(id.replace("-", "").slice(0, 12), 16));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times.at(-1)).toBeGreaterThanOrEqual(startedAt);
});

it("calls nothing recent that is ahead of a clock that was set back", () => {
  const clock = new TestClock();
  const at = clock.now().getTime();
  clock.advance(500);
  expect([isRecent(clock, at, 2000), isRecent(clock, at, 400)]).toEqual([true, false]);
  clock.advance(-3_600_000);
  expect(isRecent(clock, at, 2000)).toBe(false);
});
