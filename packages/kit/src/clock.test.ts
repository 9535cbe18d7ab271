import { expect, it } from "vitest";
import { systemIds } from "./clock.ts";

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
