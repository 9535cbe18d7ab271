import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { authority, certificate, writeCertificate } from "../../../test/builders/certificates.ts";
import { createListener, type ListenerOptions, usualPatience } from "./listener.ts";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";

const megabyte = 1024 * 1024;
let server: Server | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  server = undefined;
});

async function listen(options: Partial<ListenerOptions>): Promise<number> {
  const made = createListener({
    serve: (request, response) => void request.resume().on("end", () => response.end("done")),
    maxConnections: 100,
    maxPerAddress: 0,
    addressOf: (remote) => remote,
    ...options,
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve));
  return (made.address() as AddressInfo).port;
}

function dial(port: number): Socket {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  sockets.push(socket);
  return socket;
}

const ended = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    let heard = "";
    socket.on("data", (bytes) => {
      heard += bytes.toString("latin1");
    });
    socket.once("close", () => resolve(heard));
  });

describe("a peer that takes its time", () => {
  const hasty = { ...usualPatience, headers: 200, request: 400, look: 50 };

  it("over its headers is sent away", async () => {
    const socket = dial(await listen({ patience: hasty }));
    const drip = setInterval(() => socket.write("x: y\r\n"), 20);
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n");
    expect(await ended(socket)).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
  });

  it("over its body is sent away", async () => {
    const socket = dial(await listen({ patience: hasty }));
    const drip = setInterval(() => socket.write("x"), 20);
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n");
    expect(await ended(socket)).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
  });

  it("over reading its answer is let go", async () => {
    const gone = Promise.withResolvers<void>();
    const port = await listen({
      patience: { ...usualPatience, silence: 300 },
      serve: (_request, response) => {
        response.once("close", gone.resolve);
        response.end(Buffer.alloc(64 * megabyte));
      },
    });
    const socket = dial(port);
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await gone.promise;
  });
});

it("counts the connections of an address, and gives the places of those that have gone to others", async () => {
  const port = await listen({ maxPerAddress: 2 });
  const ask = async (socket: Socket): Promise<string> => {
    socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    return await ended(socket);
  };
  const [first, second] = [dial(port), dial(port)];
  await Promise.all([first, second].map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
  expect(await ask(dial(port))).toBe("");
  expect(await ask(first)).toContain("done");
  await expect.poll(() => ask(dial(port))).toContain("done");
  expect(await ask(second)).toContain("done");
});

it("does not count those of a trusted proxy", async () => {
  const port = await listen({ maxPerAddress: 1, addressOf: () => undefined });
  const held = [dial(port), dial(port)];
  await Promise.all(held.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
  const socket = dial(port);
  socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  expect(await ended(socket)).toContain("done");
});

describe("a gateway with a certificate", () => {
  const ca = authority();
  let stack: FakeStack | undefined;
  let folder = "";
  afterEach(async () => {
    await stack?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What a client hears over TLS, and whose certificate it saw. */
  function over(options: object, text = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n") {
    return new Promise<{ heard: string; protocol: string | null; names: string }>((resolve, reject) => {
      const { port = 0 } = stack?.gateway.address ?? {};
      const socket = connectTls({ host: "127.0.0.1", port, servername: "localhost", ca: ca.certificate, ...options });
      const names = Promise.withResolvers<string>();
      let heard = "";
      let protocol: string | null = null;
      socket.once("secureConnect", () => {
        protocol = socket.getProtocol();
        names.resolve(socket.getPeerCertificate().subjectaltname ?? "");
        socket.write(text);
      });
      socket.on("data", (bytes) => {
        heard += bytes.toString("latin1");
      });
      socket.once("error", reject);
      socket.once("close", async () => resolve({ heard, protocol, names: await names.promise }));
    });
  }

  async function start(): Promise<void> {
    folder = mkdtempSync(join(tmpdir(), "gateway-tls-"));
    const files = writeCertificate(folder, certificate(ca, ["first.example.com"]), [ca]);
    stack = await startFakeStack({}, { TLS_CERT_FILE: files.cert, TLS_KEY_FILE: files.key, TLS_RELOAD_SECONDS: 1 });
  }

  it("speaks HTTPS only, says so in its links, and asks for it ever after", async () => {
    await start();
    expect(stack?.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const { heard, names } = await over({});
    expect(heard).toMatch(/^HTTP\/1\.1 200 /);
    expect(heard.toLowerCase()).toContain("strict-transport-security: max-age=31536000");
    expect(names).toContain("first.example.com");
    const text = "GET /.well-known/security.txt HTTP/1.1\r\nhost: registry.example.com\r\nconnection: close\r\n\r\n";
    expect((await over({}, text)).heard).toContain("Canonical: https://registry.example.com/");
    const plain = dial(stack?.gateway.address.port ?? 0);
    plain.write("GET /health HTTP/1.1\r\nhost: a\r\n\r\n");
    expect(await ended(plain)).toBe("");
  });

  it("speaks TLS 1.2 and 1.3", async () => {
    await start();
    expect((await over({})).protocol).toBe("TLSv1.3");
    expect((await over({ maxVersion: "TLSv1.2" })).protocol).toBe("TLSv1.2");
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL@SECLEVEL=0" };
    await expect(over(old)).rejects.toThrow();
  });

  it("takes a new certificate without a restart, and keeps the old one where the new is broken", async () => {
    await start();
    writeCertificate(folder, { certificate: "nonsense", key: "nonsense" }, []);
    expect((await over({})).names).toContain("first.example.com");
    writeCertificate(folder, certificate(ca, ["second.example.com"]), [ca]);
    await expect.poll(async () => (await over({})).names, { timeout: 10_000 }).toContain("second.example.com");
  });
});
