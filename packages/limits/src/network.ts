import { isIP } from "node:net";
import { ipv6Groups } from "./ipv6.ts";

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
  const groups = ipv6Groups(address);
  const [high = 0, low = 0] = groups.slice(6);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  return groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":");
}
