import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatApiToken, isPlausible, type TokenPrefix, tokenPrefixes } from "./api-token.ts";

const prefixes = Object.values(tokenPrefixes);
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const random = fc
  .array(fc.constantFrom(...alphabet), { minLength: 43, maxLength: 43 })
  .map((characters) => characters.join(""));
const prefix: fc.Arbitrary<TokenPrefix> = fc.constantFrom(...prefixes);

describe("the text of an API token", () => {
  it("says what it is for and carries a checksum, for every kind", () => {
    expect(prefixes).toEqual(["acr_", "acs_", "acp_"]);
    fc.assert(
      fc.property(prefix, random, (kind, secret) => {
        const token = formatApiToken(secret, kind);
        expect(token).toMatch(/^ac[rsp]_[\w-]{43}[0-9A-Za-z]{6}$/);
        expect(token.startsWith(kind + secret)).toBe(true);
        expect(isPlausible(token)).toBe(true);
      }),
    );
  });

  it("is told from a mistyped, shortened or lengthened one, and from one of another kind", () => {
    fc.assert(
      fc.property(prefix, random, fc.nat(48), fc.constantFrom(...alphabet), (kind, secret, at, character) => {
        const token = formatApiToken(secret, kind);
        const index = kind.length + at;
        const changed = token.slice(0, index) + character + token.slice(index + 1);
        expect(isPlausible(changed)).toBe(changed === token);
        expect(isPlausible(token.slice(0, -1))).toBe(false);
        expect(isPlausible(token + character)).toBe(false);
        expect(isPlausible(`${token}\n`)).toBe(false);
        for (const other of prefixes) {
          expect(isPlausible(other + token.slice(kind.length))).toBe(other === kind);
        }
      }),
    );
  });

  it("never throws, whatever it is compared with, and leaves foreign texts to the look-up", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => typeof isPlausible(text) === "boolean"));
    fc.assert(fc.property(prefix, fc.string(), (kind, text) => !isPlausible(kind + text)));
    expect(isPlausible("chosen-by-the-operator")).toBe(true);
  });
});
