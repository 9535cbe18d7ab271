import { lookup } from "node:dns/promises";

/** All addresses of a name. @throws where it cannot be resolved */
export type Resolve = (host: string) => Promise<readonly string[]>;

export const systemResolve: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

function hostAndPort(text: string): { host: string; port: string } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  if (match === null) throw new TypeError(`${text} is no gRPC target such as dns:///catalog:9090`);
  return { host: match[1] ?? match[2] ?? "", port: match[3] ?? "443" };
}

function targetOf(address: string, port: string): string {
  return address.includes(":") ? `ipv6:[${address}]:${port}` : `ipv4:${address}:${port}`;
}

/**
 * Every replica behind a gRPC target (`host:port`, `dns:///host:port`, `ipv4:a:p,b:p`, `ipv6:[a]:p`), each as a target of
 * its own.
 */
export async function replicasOf(target: string, resolve: Resolve): Promise<string[]> {
  const literal = /^(ipv4|ipv6):(.+)$/.exec(target);
  if (literal !== null) return (literal[2] ?? "").split(",").map((address) => `${literal[1]}:${address.trim()}`);
  const { host, port } = hostAndPort(target.replace(/^dns:(?:\/\/[^/]*\/)?/, ""));
  const addresses = await resolve(host);
  return [...new Set(addresses)].sort().map((address) => targetOf(address, port));
}
