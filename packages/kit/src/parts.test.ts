import fc from "fast-check";
import { expect, it } from "vitest";
import { partsOf } from "./parts.ts";

it("cuts a list into parts that are full but for the last, and none is empty", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 9 }), (items, size) => {
      const parts = [...partsOf(items, size)];
      expect(parts.flat()).toEqual(items);
      expect(parts.slice(0, -1).every(({ length }) => length === size)).toBe(true);
      expect(parts.every(({ length }) => length > 0 && length <= size)).toBe(true);
    }),
  );
});
