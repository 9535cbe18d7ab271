import { BlockList, isIP } from "node:net";

const most = { 4: 32, 6: 128 } as const;

interface Network {
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  readonly bits: number;
}

function parse(text: string): Network | undefined {
  const [address = "", bits, ...more] = text.split("/");
  const version = isIP(address);
  if ((version !== 4 && version !== 6) || more.length > 0) return undefined;
  const length = bits === undefined ? most[version] : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (!(length <= most[version])) return undefined;
  return { address, family: version === 6 ? "ipv6" : "ipv4", bits: length };
}

/** Whether the text is an address, or a network such as 10.0.0.0/8. */
export function isNetwork(text: string): boolean {
  return parse(text) !== undefined;
}

/** Everything in the given networks; what is none is left out. */
export function networkList(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const { address, bits, family } of texts.map(parse).filter((each) => each !== undefined)) {
    list.addSubnet(address, bits, family);
  }
  return list;
}
