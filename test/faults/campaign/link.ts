import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * A way to a server on this machine that can be held up in one direction: what clients send waits here, what the server
 * sends goes on. So a consumer gets an event and works, and its acknowledgement does not arrive.
 */
export class Link {
  readonly #port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #held = false;

  private constructor(port: number) {
    this.#port = port;
    this.#server = createServer((client) => this.#join(client));
  }

  /**
   * @param from a port of 127.0.0.1 to listen on
   * @param to the server's port there
   */
  static async open(from: number, to: number): Promise<Link> {
    const link = new Link(to);
    await new Promise<void>((resolve, reject) => {
      link.#server.once("error", reject);
      link.#server.listen({ port: from, host: "127.0.0.1" }, resolve);
    });
    return link;
  }

  /** From now on nothing that clients send arrives. */
  hold(): void {
    this.#held = true;
  }

  /** What waited is sent on. */
  release(): void {
    this.#held = false;
    for (const { upstream, waiting } of this.#pairs) for (const chunk of waiting.splice(0)) upstream.write(chunk);
  }

  /** Ends every connection; what waited is lost. */
  cut(): void {
    this.#held = false;
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  close(): void {
    this.#server.close();
    this.cut();
  }

  #join(client: Socket): void {
    const upstream = connect({ port: this.#port, host: "127.0.0.1" });
    const pair: Pair = { client, upstream, waiting: [] };
    this.#pairs.add(pair);
    client.on("data", (chunk: Buffer) => {
      if (this.#held) pair.waiting.push(chunk);
      else upstream.write(chunk);
    });
    upstream.on("data", (chunk: Buffer) => client.write(chunk));
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#pairs.delete(pair);
        client.destroy();
        upstream.destroy();
      });
    }
  }
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly waiting: Buffer[];
}
