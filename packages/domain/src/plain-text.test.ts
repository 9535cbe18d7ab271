import fc from "fast-check";
import { expect, it } from "vitest";
import { isPlainText } from "./plain-text.ts";

it.each(["", "Broken on Windows.\n\tUse 1.2.3.", "naïve – 日本語 – עברית \u200f – 👩‍👩‍👧 – 𝒳", "\u00a0\u2028"])(
  "%j is plain",
  (text) => {
    expect(isPlainText(text)).toBe(true);
  },
);

it.each([
  ...["\0", "\u0007", "\b", "\r", "\u001b[2J", "\u007f", "\u0085", "\u009b31m"],
  ...["\u202a", "\u202e", "\u2066", "\u2069", "\ud800", "\udfff", "\udc00\ud800"],
])("%j is not, wherever it stands", (piece) => {
  for (const text of [piece, `a${piece}`, `${piece}b`, `a${piece}b`]) expect(isPlainText(text)).toBe(false);
});

it("agrees with a reading of each unit", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.integer({ max: 0xffff }).map((unit) => String.fromCharCode(unit)) }), (text) => {
      const plain = [...text].every((character) => {
        const point = character.codePointAt(0) ?? 0;
        if (point === 9 || point === 10) return true;
        const control = point < 32 || (point >= 127 && point < 160);
        const turns = (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
        return !control && !turns && !(point >= 0xd800 && point <= 0xdfff);
      });
      expect(isPlainText(text)).toBe(plain);
    }),
  );
});
