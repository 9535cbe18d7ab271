/**
 * The eight groups of an IPv6 address, however it is spelt; an IPv4 address inside is in the last two.
 * @param address an IPv6 address without a zone
 */
export function ipv6Groups(address: string): number[] {
  // A URL's host is the one canonical spelling; an IPv4 address inside is in hex there.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}
