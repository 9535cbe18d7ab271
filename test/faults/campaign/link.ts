import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * A way to a server on this machine that can be held up in one direction: what clients send waits here, what the server
 * sends goes on. So a consumer gets an event and works, and its acknowledgement does not arrive.
 */
export class Link {
  readonly #port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #from: RegExp | undefined;

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

  /** From the first piece on in which a client says this, nothing that this client sends arrives. */
  holdFrom(pattern: RegExp): void {
    this.#from = pattern;
  }

  /** How often what is held says that. */
  get held(): number {
    const pattern = this.#from;
    if (pattern === undefined) return 0;
    const all = new RegExp(pattern, "g");
    return this.#pairs
      .values()
      .reduce((sum, { waiting }) => sum + [...Buffer.concat(waiting).toString("latin1").matchAll(all)].length, 0);
  }

  /** Ends every connection; what waited is lost. */
  cut(): void {
    this.#from = undefined;
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
      const begins = this.#from?.test(chunk.toString("latin1")) === true;
      if (begins || pair.waiting.length > 0) pair.waiting.push(chunk);
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
  /** Once anything is held, everything behind it is. */
  readonly waiting: Buffer[];
}
