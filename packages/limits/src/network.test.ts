import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networkOf } from "./network.ts";

describe("the network that limits count under", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::ffff:c000:207", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["2001:DB8:0::ffff", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["::", "0:0:0:0"],
    ["1::", "1:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    ["not an address", "unknown"],
    ["", "unknown"],
    [undefined, "unknown"],
  ])("of %s is %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it("is one for all of a /64, however it is spelt, and another for its neighbour", () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    const groups = fc.array(group, { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(groups, groups, groups, (net, a, b) => {
        const spell = (parts: number[]): string => parts.map((part) => part.toString(16)).join(":");
        const padded = (parts: number[]): string => parts.map((part) => part.toString(16).padStart(4, "0")).join(":");
        const shortest = (parts: number[]): string => new URL(`http://[${spell(parts)}]/`).hostname.slice(1, -1);
        fc.pre(net.some((part) => part !== 0));
        expect(networkOf(shortest([...net, ...a]))).toBe(networkOf(padded([...net, ...b])));
        const neighbour = [...net.slice(0, 3), (net[3] ?? 0) ^ 1];
        expect(networkOf(spell([...neighbour, ...a]))).not.toBe(networkOf(spell([...net, ...a])));
      }),
    );
  });
});
