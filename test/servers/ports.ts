import { once } from "node:events";
import { createServer, type Server } from "node:net";

/** Below the range that systems hand out to outgoing connections, so that none of those takes a port between two starts. */
const first = 20_000;
const last = 32_000;
const attempts = 200;

/** A port of 127.0.0.1 that no other test process is given until `release`, nor after this process has ended. */
export interface ReservedPort {
  port: number;
  release(): void;
}

/**
 * Reserves a free port. Ports come in pairs: listening on the odd one is what reserves the even one, since a server's own
 * port cannot be held for it while it is stopped, and a process that dies lets go by itself.
 */
export async function reservePort(): Promise<ReservedPort> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = first + 2 * Math.floor((Math.random() * (last - first)) / 2);
    const guard = await listen(port + 1);
    if (guard === undefined) continue;
    const probe = await listen(port);
    if (probe === undefined) {
      guard.close();
      continue;
    }
    probe.close();
    await once(probe, "close");
    guard.unref();
    return { port, release: () => guard.close() };
  }
  throw new Error(`no free pair of ports between ${first} and ${last} after ${attempts} attempts`);
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen({ port, host: "127.0.0.1", exclusive: true });
    await once(server, "listening");
    return server;
  } catch {
    return undefined;
  }
}
