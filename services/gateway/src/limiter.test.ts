import { TestClock } from "@registry/kit/testing";
import { expect, it } from "vitest";
import { Limiter } from "./limiter.ts";

it("gives so many a minute to each key, and says when there is more", () => {
  const clock = new TestClock();
  const limiter = new Limiter(clock, 6);
  for (let i = 0; i < 6; i++) expect(limiter.take("a")).toBe(0);
  expect(limiter.take("a")).toBeGreaterThanOrEqual(9);
  expect(limiter.take("a")).toBeLessThanOrEqual(10);
  expect(limiter.take("b")).toBe(0);
  clock.advance(10_000);
  expect(limiter.take("a")).toBe(0);
  expect(limiter.take("a")).toBeGreaterThan(0);
});

it("has no limit at 0", () => {
  const limiter = new Limiter(new TestClock(), 0);
  expect(limiter.active).toBe(false);
  for (let i = 0; i < 1000; i++) expect(limiter.take("a")).toBe(0);
});
