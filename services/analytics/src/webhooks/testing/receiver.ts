import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

export interface Received {
  readonly id: string;
  readonly path: string;
  /** As they stand in the request. */
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly json: { readonly type: string; readonly timestamp: string; readonly data: Record<string, string> };
}

/** Answers a request: a status, with headers if need be; or by itself, and undefined. */
export type Answering = (
  received: Received,
  response: ServerResponse,
) => number | readonly [number, Record<string, string>] | undefined | Promise<number | undefined>;

/** Somebody's server, as a webhook's URL leads to it. */
export class Receiver {
  readonly #server = createServer((request, response) => void this.#take(request, response));
  /** All requests. */
  readonly received: Received[] = [];
  /** Events that were answered with success, each once, as a receiver that goes by `webhook-id` keeps them. */
  readonly book = new Map<string, Received>();
  answers: Answering = () => 204;
  most = 0;
  #underWay = 0;

  static async open(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.#server.listen(0, "127.0.0.1");
    await once(receiver.#server, "listening");
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = "/hook", host = "127.0.0.1"): string {
    return `http://${host}:${this.port}${path}`;
  }

  /** What is in the book, oldest first. */
  get told(): string[] {
    return [...this.book.values()].map(({ json: { type, data } }) => `${type} ${data.plugin ?? ""}`.trim());
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underWay += 1;
    this.most = Math.max(this.most, this.#underWay);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const id = headers["webhook-id"] ?? "";
    const received = { id, path: request.url ?? "", headers, body, json: JSON.parse(body) } as Received;
    this.received.push(received);
    const answer = await this.answers(received, response);
    this.#underWay -= 1;
    if (answer === undefined) return;
    const [status, more] = typeof answer === "number" ? [answer, {}] : answer;
    if (status < 300 && !this.book.has(received.id)) this.book.set(received.id, received);
    response.writeHead(status, more).end();
  }

  /** Answers nobody from now on but by what it returns: a call for each request, in order. */
  holds(status: number): readonly (() => void)[] {
    const held: (() => void)[] = [];
    this.answers = async () => {
      await new Promise<void>((resolve) => held.push(resolve));
      return status;
    };
    return held;
  }

  /** Breaks off whatever is under way. */
  hangUp(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** As a receiver's library does it, whatever its clock says. @throws where the signature does not hold */
export function verify(secret: string, { id, headers, body }: Received): unknown {
  const timestamp = Number(headers["webhook-timestamp"]);
  const expected = new Webhook(secret).sign(id, new Date(timestamp * 1000), body);
  if (!(headers["webhook-signature"] ?? "").split(" ").includes(expected)) throw new Error("wrong signature");
  return JSON.parse(body);
}
