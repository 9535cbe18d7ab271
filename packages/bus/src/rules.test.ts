import { describe, expect, it } from "vitest";
import { matches, pauseAfter } from "./rules.ts";

describe("pauseAfter", () => {
  it("doubles up to the most, however many deliveries there were", () => {
    const redelivery = { baseMs: 100, maxMs: 1000 };
    expect([1, 2, 3, 4, 5, 6, 1000].map((attempt) => pauseAfter(attempt, redelivery))).toEqual([
      100, 200, 400, 800, 1000, 1000, 1000,
    ]);
  });
  it("begins at a second and ends at twenty where nothing else is said", () => {
    expect([pauseAfter(1, {}), pauseAfter(40, {})]).toEqual([1000, 20_000]);
  });
});

describe("matches", () => {
  it.each([
    ["registry.a.>", "registry.a.b", true],
    ["registry.a.>", "registry.a.b.c", true],
    ["registry.a.>", "registry.a", false],
    ["registry.a.>", "registry.ab.c", false],
    ["registry.a.b", "registry.a.b", true],
    ["registry.a.b", "registry.a.b.c", false],
  ])("%s covers %s: %s", (pattern, subject, expected) => {
    expect(matches([pattern], subject)).toBe(expected);
  });
});
