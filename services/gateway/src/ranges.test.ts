import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRange, rangeApplies } from "./ranges.ts";

describe("a byte range", () => {
  it.each([
    ["bytes=0-0", 10, { type: "part", start: 0, end: 0 }],
    ["bytes=2-5", 10, { type: "part", start: 2, end: 5 }],
    ["bytes=5-", 10, { type: "part", start: 5, end: 9 }],
    ["bytes=-3", 10, { type: "part", start: 7, end: 9 }],
    ["bytes=-99", 10, { type: "part", start: 0, end: 9 }],
    ["bytes=3-99", 10, { type: "part", start: 3, end: 9 }],
    ["bytes=10-", 10, { type: "unsatisfiable" }],
    ["bytes=-0", 10, { type: "unsatisfiable" }],
    ["bytes=0-", 0, { type: "unsatisfiable" }],
    ["bytes=5-2", 10, { type: "all" }],
    ["bytes=0-1,3-4", 10, { type: "all" }],
    ["bytes=-", 10, { type: "all" }],
    ["bytes=a-b", 10, { type: "all" }],
    ["lines=1-2", 10, { type: "all" }],
    [undefined, 10, { type: "all" }],
  ] as const)("%s of %i bytes", (header, size, wanted) => {
    expect(parseRange(header, size)).toEqual(wanted);
  });

  it("lies within the content, whatever is asked", () => {
    const header = fc.oneof(
      fc.string(),
      fc.tuple(fc.string({ maxLength: 18 }), fc.string({ maxLength: 18 })).map(([a, b]) => `bytes=${a}-${b}`),
      fc.tuple(fc.nat(40), fc.nat(40)).map(([a, b]) => `bytes=${a}-${b}`),
      fc.nat(40).map((n) => `bytes=-${n}`),
    );
    fc.assert(
      fc.property(header, fc.nat(30), (text, size) => {
        const wanted = parseRange(text, size);
        if (wanted.type !== "part") return;
        expect(wanted.start).toBeGreaterThanOrEqual(0);
        expect(wanted.end).toBeGreaterThanOrEqual(wanted.start);
        expect(wanted.end).toBeLessThan(size);
      }),
    );
  });

  it("holds only for the very content", () => {
    expect(rangeApplies(undefined, '"a"')).toBe(true);
    expect(rangeApplies('"a"', '"a"')).toBe(true);
    expect(rangeApplies('"b"', '"a"')).toBe(false);
    expect(rangeApplies('W/"a"', '"a"')).toBe(false);
    expect(rangeApplies("Sat, 01 Jan 2028 00:00:00 GMT", '"a"')).toBe(false);
  });
});
