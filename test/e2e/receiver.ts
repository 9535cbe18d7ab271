import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

/** One request as a receiver of webhooks has it. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** As it came: what is signed. */
  readonly body: string;
  /** What it says, once it is known whom it is from. */
  readonly message: Message;
}

export interface Message {
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A receiver of webhooks on the loopback interface. */
export interface Receiver {
  /** Of its own for each test: what comes to other paths is not mixed in. */
  urlOf(path: string): string;
  /** What came to a path, in order. */
  at(path: string): readonly Received[];
  /** What a path answers from now on; 204 until then. */
  answers(path: string, status: number): void;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const statuses = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const { method = "", url: path = "", headers } = request;
    received.push({ method, path, headers, body, message: JSON.parse(body) as Message });
    response.writeHead(statuses.get(path) ?? 204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urlOf: (path) => `http://127.0.0.1:${port}${path}`,
    at: (path) => received.filter((each) => each.path === path),
    answers: (path, status) => void statuses.set(path, status),
    close: () => closeServer(server),
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** What a receiver does who was given a secret. @throws where somebody else has sent it, or some time ago */
export function verified({ body, headers }: Received, secret: string): Message {
  return new Webhook(secret).verify(body, headers as Record<string, string>) as Message;
}
