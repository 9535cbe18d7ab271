import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deriveKeys } from "./keys.ts";

const keys = deriveKeys("the secret of these tests, long enough");
const others = deriveKeys("the secret of another registry, as long");
const secret = Buffer.from("what a store must not show");

describe("what is sealed", () => {
  it("opens under the same secret, for the same purpose and owner, and never else", () => {
    const sealed = keys.seal("totp", secret, "user 7");
    expect(Buffer.from(sealed, "base64url").includes(secret)).toBe(false);
    expect(deriveKeys("the secret of these tests, long enough").open("totp", sealed, "user 7")).toEqual(secret);
    expect(keys.open("totp", sealed, "user 8")).toBeUndefined();
    expect(keys.open("totp", sealed)).toBeUndefined();
    expect(keys.open("signing", sealed, "user 7")).toBeUndefined();
    expect(others.open("totp", sealed, "user 7")).toBeUndefined();
  });

  it("looks different each time", () => {
    expect(keys.seal("totp", secret)).not.toBe(keys.seal("totp", secret));
  });

  it("does not open once any of it was changed, and never throws, whatever it is given", () => {
    const sealed = Buffer.from(keys.seal("totp", secret), "base64url");
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(sealed);
        changed[at] = (changed[at] ?? 0) ^ change;
        expect(keys.open("totp", changed.toString("base64url"))).toBeUndefined();
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => keys.open("totp", text) === undefined));
  });
});
