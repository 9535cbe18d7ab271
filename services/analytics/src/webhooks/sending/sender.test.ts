import { EventEmitter, once } from "node:events";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { authority, certificate } from "../../../../../test/builders/certificates.ts";
import { AllowedAddresses } from "../model/addresses.ts";
import { Receiver } from "../testing/receiver.ts";
import { Sender, type SenderOptions } from "./sender.ts";

let receiver: Receiver;
const servers: Server[] = [];
const sockets = new Set<Socket>();
const workers: Worker[] = [];
const never = new AbortController().signal;
beforeEach(async () => {
  receiver = await Receiver.open();
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const worker of workers.splice(0)) await worker.terminate();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  await receiver.close();
});

const sender = (options: Partial<SenderOptions> = {}) =>
  new Sender({
    allowed: new AllowedAddresses(["127.0.0.0/8"]),
    resolve: async () => ["127.0.0.1"],
    timeoutMs: 10_000,
    ...options,
  });
const send = (url: string, options?: Partial<SenderOptions>) =>
  sender(options).send({ url: new URL(url), headers: { "webhook-id": "msg_1" }, body: "{}" }, never);

/** A server of bare sockets. */
async function listen(connected: (socket: Socket) => void, port?: number, host?: string): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    connected(socket);
  });
  return opened(server, port, host);
}

async function opened(server: Server, port = 0, host = "127.0.0.1"): Promise<number> {
  servers.push(server);
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(port, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

describe("a request", () => {
  it("goes to the address that was looked at, under the name that was asked for", async () => {
    const answer = await send(receiver.url("/a?b=c", "build.internal"));
    expect(answer).toEqual({ status: 204, retryAfter: undefined });
    expect(receiver.received[0]?.headers).toMatchObject({
      host: `build.internal:${receiver.port}`,
      "webhook-id": "msg_1",
    });
    expect(receiver.received[0]?.headers).not.toHaveProperty("cookie");
  });

  it("is not made where the name leads to a place that is not allowed, each time anew", async () => {
    const answers = [["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1", "169.254.169.254"], ["127.0.0.1"]];
    const resolve = async () => answers.shift() ?? [];
    const own = sender({ resolve });
    const url = new URL(receiver.url("/", "rebinding.example"));
    const outcomes = [];
    for (let i = 0; i < 5; i++) outcomes.push(await own.send({ url, headers: {}, body: "{}" }, never));
    expect(outcomes).toEqual([
      { status: 204, retryAfter: undefined },
      "address not allowed",
      "address not allowed",
      { status: 204, retryAfter: undefined },
      "name not found",
    ]);
    expect(receiver.received).toHaveLength(2);
  });

  it("to the machine itself goes to whichever of its two addresses is allowed, and of other names to none", async () => {
    const resolve = async () => ["::1", "127.0.0.1"];
    for (const host of ["localhost", "hook.localhost"]) {
      expect(await send(receiver.url("/", host), { resolve })).toMatchObject({ status: 204 });
    }
    expect(await send(receiver.url("/", "localhost.example"), { resolve })).toBe("address not allowed");
    expect(await send(receiver.url("/", "localhost"), { resolve: async () => ["::1", "10.0.0.1"] })).toBe(
      "address not allowed",
    );
    expect(receiver.received).toHaveLength(2);
  });

  it("resolves a name once: what a second answer says is of no account", async () => {
    let asked = 0;
    const resolve = async () => (asked++ === 0 ? ["127.0.0.1"] : ["127.0.0.2"]);
    expect(await send(receiver.url("/", "rebinding.example"), { resolve })).toMatchObject({ status: 204 });
    expect(asked).toBe(1);
  });

  it.each(["http://127.0.0.1/", "http://[::1]/", "http://localhost/", "https://0x7f.1/"])(
    "to %s is not made where no networks are allowed",
    async (url) => {
      const options = { allowed: new AllowedAddresses([]), resolve: async () => ["127.0.0.1"] };
      expect(await send(url, options)).toBe("address not allowed");
    },
  );

  it("goes to no public address over plain http", async () => {
    expect(await send("http://public.example/", { resolve: async () => ["8.8.8.8"] })).toBe("address not allowed");
  });

  it("does not follow where an answer sends it", async () => {
    receiver.answers = () => [302, { location: "http://127.0.0.1:1/elsewhere", "set-cookie": "a=b" }];
    expect(await send(receiver.url())).toEqual({ status: 302, retryAfter: undefined });
    expect(receiver.received).toHaveLength(1);
  });
});

/** A server to which no connection comes through until it is woken, as if it were on the other side of the world. */
async function distant(): Promise<{ readonly port: number; wake(): void }> {
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  const program = `
    const { parentPort, workerData } = require("node:worker_threads");
    const server = require("node:http").createServer((_request, response) => response.writeHead(204).end());
    server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(workerData, 0, 0);
    });`;
  const worker = new Worker(program, { eval: true, workerData: asleep });
  workers.push(worker);
  const [port] = (await once(worker, "message")) as [number];
  const wake = (): void => {
    Atomics.store(asleep, 0, 1);
    Atomics.notify(asleep, 0);
  };
  const line = Array.from({ length: 4 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  for (const socket of line) sockets.add(socket);
  await once(line[0] ?? new EventEmitter(), "connect");
  return { port, wake };
}

describe("a name with several addresses", () => {
  it("is called at the first of them that answers, also where that takes longer than a blink", async () => {
    const { port, wake } = await distant();
    const resolve = async () => ["127.0.0.1", "127.0.0.2"];
    const sent = send(`http://distant.example:${port}/`, { resolve });
    // A quarter of a second is what Node gives each of them.
    const woken = setTimeout(wake, 400);
    expect(await sent).toMatchObject({ status: 204 });
    clearTimeout(woken);
  });

  it("is called at another where the first is silent, whatever time there is", async () => {
    const { port, wake } = await distant();
    await listen((socket) => socket.resume().end("HTTP/1.1 204 No Content\r\n\r\n"), port, "127.0.0.2");
    const resolve = async () => ["127.0.0.1", "127.0.0.2"];
    expect(await send(`http://silent.example:${port}/`, { resolve, timeoutMs: 2000 })).toMatchObject({ status: 204 });
    wake();
  });
});

describe("an answer", () => {
  it("that goes on for ever is cut off, and counts for what it is", async () => {
    let sent = 0;
    receiver.answers = (_received, response) => {
      response.on("close", () => clearInterval(timer)).writeHead(200);
      const timer = setInterval(() => {
        sent += 4096;
        response.write(Buffer.alloc(4096));
      }, 1);
      return undefined;
    };
    expect(await send(receiver.url())).toMatchObject({ status: 200 });
    expect(sent).toBeLessThan(10 * 1024 * 1024);
  });

  it("that trickles holds nobody for longer than the time there is", async () => {
    receiver.answers = (_received, response) => {
      response.writeHead(201);
      response.write("x");
      return undefined;
    };
    expect(await send(receiver.url(), { timeoutMs: 300 })).toMatchObject({ status: 201 });
  });

  it("that never comes is no answer", async () => {
    receiver.answers = () => undefined;
    expect(await send(receiver.url(), { timeoutMs: 300 })).toBe("timed out");
    const silent = await listen(() => undefined);
    expect(await send(`http://127.0.0.1:${silent}/`, { timeoutMs: 300 })).toBe("timed out");
    expect(await send(`https://127.0.0.1:${silent}/`, { timeoutMs: 300 })).toBe("timed out");
    const unheard = () => new Promise<never>(() => undefined);
    expect(await send("https://slow.example/", { timeoutMs: 300, resolve: unheard })).toBe("timed out");
  });

  it("that changes to another protocol, or comes before the answer itself, is none that arrived", async () => {
    const closed: Promise<unknown>[] = [];
    const port = await listen((socket) => {
      closed.push(once(socket.resume(), "close"));
      socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nhello");
    });
    expect(await send(`http://127.0.0.1:${port}/`)).toEqual({ status: 101, retryAfter: undefined });
    await Promise.all(closed);
    const early = await listen((socket) => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n"));
    expect(await send(`http://127.0.0.1:${early}/`, { timeoutMs: 300 })).toBe("timed out");
  });

  it("that makes no sense, or breaks off, tells nothing of itself", async () => {
    const said = ["SSH-2.0-OpenSSH_9.9 root@10.0.0.1\r\n", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, ""];
    for (const text of said) {
      const port = await listen((socket) => socket.end(text));
      expect(await send(`http://127.0.0.1:${port}/`)).toBe("connection failed");
      expect(await send(`https://127.0.0.1:${port}/`)).toBe("tls failed");
    }
    expect(await send("http://127.0.0.1:1/")).toBe("connection failed");
    const refusing = async () => Promise.reject(new Error("secret-server.internal refused"));
    expect(await send("https://a.example/", { resolve: refusing })).toBe("connection failed");
  });
});

describe("over TLS", () => {
  it("goes to those alone whose certificate an authority vouches for, under that name", async () => {
    const ca = authority();
    const issued = certificate(ca, ["receiver.example"]);
    const server = createTlsServer({ cert: issued.certificate, key: issued.key }, (_request, response) => {
      response.writeHead(204).end();
    });
    const port = await opened(server);
    const trusting = { ca: ca.certificate };
    expect(await send(`https://receiver.example:${port}/`, trusting)).toMatchObject({ status: 204 });
    expect(await send(`https://another.example:${port}/`, trusting)).toBe("tls failed");
    expect(await send(`https://receiver.example:${port}/`)).toBe("tls failed");
  });
});

it("is given up when the process ends", async () => {
  receiver.answers = () => undefined;
  const ending = new AbortController();
  const sent = sender().send({ url: new URL(receiver.url()), headers: {}, body: "{}" }, ending.signal);
  while (receiver.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  ending.abort(new Error("the end"));
  await expect(sent).rejects.toThrow("the end");
});
