import { BlockList, isIP } from "node:net";
import { ipv6Groups, networkList } from "@registry/limits";

/** What is no public unicast address of IPv4, by IANA's special-purpose registry and the multicast and reserved blocks. */
const special4 = networkList([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
]);
/** The only block from which public addresses are given out. */
const global6 = networkList(["2000::/3"]);
/** In it: IETF's own (Teredo among them), documentation, 6to4, AS112. */
const special6 = networkList(["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"]);

const mapped = "0,0,0,0,0,65535";
/** 64:ff9b::/96, by which networks without IPv4 reach it. */
const translated = "100,65435,0,0,0,0";

/**
 * Where an address leads.
 * @returns undefined for what is no address; of an IPv6 address that stands for an IPv4 one, that one
 */
function meant(address: string): { readonly address: string; readonly family: "ipv4" | "ipv6" } | undefined {
  const version = isIP(address);
  if (version === 0 || address.includes("%")) return undefined;
  if (version === 4) return { address, family: "ipv4" };
  const groups = ipv6Groups(address);
  if (![mapped, translated].includes(groups.slice(0, 6).join())) return { address, family: "ipv6" };
  const [high = 0, low = 0] = groups.slice(6);
  return { address: [high >> 8, high & 255, low >> 8, low & 255].join("."), family: "ipv4" };
}

/** Which addresses webhooks may call. */
export class AllowedAddresses {
  readonly #networks: BlockList;
  /** Whether any are allowed beside the public ones. */
  readonly some: boolean;

  /** @param networks that are allowed although they are private */
  constructor(networks: readonly string[]) {
    this.#networks = networks.length === 0 ? new BlockList() : networkList(networks);
    this.some = networks.length > 0;
  }

  /** @param plain without encryption, which the allowed networks alone may be called */
  has(address: string, plain: boolean): boolean {
    const target = meant(address);
    if (target === undefined) return false;
    if (this.#networks.check(target.address, target.family)) return true;
    return !plain && isPublic(target);
  }
}

function isPublic({ address, family }: { readonly address: string; readonly family: "ipv4" | "ipv6" }): boolean {
  if (family === "ipv4") return !special4.check(address, family);
  return global6.check(address, family) && !special6.check(address, family);
}
