import { isIP } from "node:net";

/**
 * What limits by address count under: an IPv4 address whole, of an IPv6 one the /64 that its owner has to itself, however
 * it is spelt. Those whose address is not known share one key.
 * @param address an IP address
 * @returns e.g. `192.0.2.7`, `2001:db8:1:2`, `unknown`
 */
export function networkOf(address: string | undefined): string {
  const [plain = ""] = (address ?? "").split("%");
  switch (isIP(plain)) {
    case 4:
      return plain;
    case 6:
      return sixtyFour(plain);
    default:
      return "unknown";
  }
}

function sixtyFour(address: string): string {
  // A URL's host is the one canonical spelling; an IPv4 address inside is in hex there.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill("0"), ...after];
  const [high = 0, low = 0] = groups.slice(6).map((group) => Number.parseInt(group, 16));
  const mapped = groups.slice(0, 5).every((group) => group === "0") && groups[5] === "ffff";
  return mapped ? [high >> 8, high & 255, low >> 8, low & 255].join(".") : groups.slice(0, 4).join(":");
}
