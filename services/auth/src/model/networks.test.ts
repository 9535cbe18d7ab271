import { isRegistryError } from "@registry/domain";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isWithin, parseNetworks } from "./networks.ts";

const bitsOf = (length: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom("0", "1"), { minLength: length, maxLength: length }).map((bits) => bits.join(""));
const chunks = (bits: string, size: number): number[] =>
  Array.from({ length: bits.length / size }, (_, i) => Number.parseInt(bits.slice(i * size, (i + 1) * size), 2));
const spellV4 = (bits: string): string => chunks(bits, 8).join(".");
const spellV6 = (bits: string): string =>
  chunks(bits, 16)
    .map((group) => group.toString(16))
    .join(":");

/** The reason and the pointer of what a list is refused for. */
function refusal(list: readonly string[]): readonly [string, string | undefined] {
  try {
    parseNetworks(list);
  } catch (error) {
    if (isRegistryError(error)) return [error.reason, error.fields[0]?.pointer];
  }
  return ["taken", undefined];
}

describe("networks that a token is bound to", () => {
  it.each([
    ["IPv4", spellV4, 32],
    ["IPv6", spellV6, 128],
  ] as const)("hold what has their first bits, and nothing else: %s", (_, spell, most) => {
    fc.assert(
      fc.property(bitsOf(most), fc.nat(most), fc.nat(most - 1), (bits, length, at) => {
        const network = `${spell(bits)}/${length}`;
        // Coats of IPv4 addresses are refused.
        fc.pre(!bits.startsWith("0".repeat(80)));
        expect(parseNetworks([network])).toEqual([network]);
        expect(isWithin([network], spell(bits))).toBe(true);
        const flipped = bits.slice(0, at) + (bits[at] === "0" ? "1" : "0") + bits.slice(at + 1);
        expect(isWithin([network], spell(flipped))).toBe(at >= length);
        expect(isWithin(["192.0.2.1", spell(flipped), network], spell(flipped))).toBe(true);
      }),
    );
  });

  it("are single addresses too, and none hold an address that is not known", () => {
    expect(isWithin(["192.0.2.7"], "192.0.2.7")).toBe(true);
    expect(isWithin(["192.0.2.7"], "192.0.2.8")).toBe(false);
    expect(isWithin(["2001:db8::1"], "2001:DB8:0:0::1")).toBe(true);
    expect(isWithin(["0.0.0.0/0"], "2001:db8::1")).toBe(false);
    for (const unknown of [undefined, "", "unknown", "192.0.2.7 "]) {
      expect(isWithin(["0.0.0.0/0", "::/0"], unknown)).toBe(false);
      expect(isWithin([], unknown)).toBe(true);
    }
  });

  it.each([
    "10.0.0.0/33",
    "::/129",
    "10.0.0/8",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
    "10.0.0.0/0x8",
    " 10.0.0.1",
    "010.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0a00:0001",
    "fe80::1%eth0",
    "localhost",
    "*",
    "",
  ])("are refused by place where they are none: %j", (text) => {
    expect(refusal(["10.0.0.0/8", text])).toEqual(["INVALID_ADDRESS", "/addresses/1"]);
  });

  it("are at most twenty, and kept once each", () => {
    const many = Array.from({ length: 20 }, (_, i) => `10.0.0.${i}`);
    expect(parseNetworks([...many.slice(1), "10.0.0.1"])).toHaveLength(19);
    expect(refusal([...many, "10.0.1.1"])).toEqual(["TOO_MANY_ADDRESSES", "/addresses"]);
  });

  it("never let anything but a refusal out, whatever is given", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary", maxLength: 60 }), { maxLength: 3 }), (list) => {
        expect(["taken", "INVALID_ADDRESS"]).toContain(refusal(list)[0]);
      }),
    );
  });
});
