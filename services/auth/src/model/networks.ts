import { BlockList, isIP } from "node:net";
import { invalid, quote } from "@registry/domain";
import { networkOf } from "@registry/limits";

const maxNetworks = 20;
const entryPattern = /^([0-9A-Fa-f.:]{2,45})(?:\/(\d{1,3}))?$/;

interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: "ipv4" | "ipv6";
}

function read(text: string): Network | undefined {
  const [, address = "", bitsText] = entryPattern.exec(text) ?? [];
  const version = isIP(address);
  // Callers' IPv4 addresses are known without their IPv6 coat, so a network of coats would never match.
  if (version === 0 || (version === 6 && isIP(networkOf(address)) === 4)) return undefined;
  const most = version === 4 ? 32 : 128;
  const bits = bitsText === undefined ? most : Number(bitsText);
  return bits > most ? undefined : { address, bits, family: version === 4 ? "ipv4" : "ipv6" };
}

/**
 * Networks that a token is bound to, without duplicates.
 * @throws kind `invalid_argument`, reasons `INVALID_ADDRESS` and `TOO_MANY_ADDRESSES`
 */
export function parseNetworks(texts: readonly string[]): string[] {
  if (texts.length > maxNetworks) {
    throw invalid("TOO_MANY_ADDRESSES", `addresses: may hold at most ${maxNetworks} of them`, "/addresses");
  }
  for (const [index, text] of texts.entries()) {
    if (read(text) !== undefined) continue;
    const rule = "write an IP address such as 192.0.2.7, or a network such as 10.0.0.0/8 or 2001:db8::/32";
    throw invalid("INVALID_ADDRESS", `addresses: ${quote(text)} is neither; ${rule}`, `/addresses/${index}`);
  }
  return [...new Set(texts)];
}

/** Whether one of the networks holds the address. None hold an unknown one; without networks everywhere is right. */
export function isWithin(networks: readonly string[], address: string | undefined): boolean {
  if (networks.length === 0) return true;
  const version = isIP(address ?? "");
  if (address === undefined || version === 0) return false;
  const list = new BlockList();
  for (const network of networks) {
    const known = read(network);
    if (known !== undefined) list.addSubnet(known.address, known.bits, known.family);
  }
  return list.check(address, version === 4 ? "ipv4" : "ipv6");
}
