import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AllowedAddresses } from "./addresses.ts";

const usual = new AllowedAddresses([]);

describe("addresses that webhooks may call", () => {
  it.each([
    ...["0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255"],
    ...["169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1"],
    ...["192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.2.3", "240.0.0.1"],
    ...["255.255.255.255", "::", "::1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254"],
    ...["64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::8.8.8.8", "100::1", "2001::1", "2001:0:808:808::1"],
    ...["2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1"],
    ...[
      "fe80::1%lo",
      "fec0::1",
      "ff02::1",
      "ff0e::1",
      "",
      "localhost",
      "127.1",
      "0x7f.1",
      "1.2.3",
      "::ffff:0:127.0.0.1",
    ],
  ])("are not %s", (address) => {
    expect([usual.has(address, false), usual.has(address, true)]).toEqual([false, false]);
  });

  it.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2606:4700::1111", "2a00::1"])(
    "are %s, encrypted",
    (address) => {
      expect([usual.has(address, false), usual.has(address, true)]).toEqual([true, false]);
    },
  );

  it("are those of the networks that are allowed as well, also without encryption, and no others", () => {
    const more = new AllowedAddresses(["10.1.0.0/16", "127.0.0.1", "fd12::/16"]);
    for (const address of ["10.1.2.3", "127.0.0.1", "fd12::5", "::ffff:10.1.2.3"]) {
      expect([address, more.has(address, false), more.has(address, true)]).toEqual([address, true, true]);
    }
    for (const address of ["10.2.0.1", "127.0.0.2", "fd13::5", "::1", "::ffff:10.2.0.1"]) {
      expect([address, more.has(address, false)]).toEqual([address, false]);
    }
    expect(more.has("8.8.8.8", true)).toBe(false);
  });

  it("are the same in every spelling, and in every coat that leads to the same place", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte), ([a, b, c, d]) => {
        const plain = usual.has(`${a}.${b}.${c}.${d}`, false);
        const [high, low] = [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)];
        for (const coat of [`::ffff:${a}.${b}.${c}.${d}`, `0:0:0:0:0:FFFF:${high}:${low}`, `64:ff9b::${high}:${low}`]) {
          expect([coat, usual.has(coat, false)]).toEqual([coat, plain]);
        }
        for (const coat of [`::${high}:${low}`, `2002:${high}:${low}::1`, `2001:0:1:2:3:4:${high}:${low}`]) {
          expect([coat, usual.has(coat, false)]).toEqual([coat, false]);
        }
      }),
    );
  });
});
