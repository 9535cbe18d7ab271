import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Folders } from "./testing/folders.ts";

const program = join(import.meta.dirname, "main.ts");
let folders: Folders;
const running: ChildProcess[] = [];
beforeAll(async () => {
  folders = await Folders.create();
});
afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await folders.remove();
});

interface Served {
  readonly child: ChildProcess;
  readonly url: string;
  readonly ended: Promise<number | null>;
}

async function serve(delaySeconds: string, settings: Record<string, string> = {}): Promise<Served> {
  const ports = { PORT: "0", GRPC_PORT: "0" };
  const env = { PATH: process.env.PATH ?? "", ...ports, SHUTDOWN_DELAY_SECONDS: delaySeconds, ...settings };
  const child = spawn(process.execPath, [program, "serve"], {
    cwd: await folders.empty(),
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  running.push(child);
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const told = /HTTP +(http:\S+).*open /s.exec(said)?.[1];
      if (told !== undefined) resolve(told);
    });
    child.once("exit", () => reject(new Error(`it did not start: ${said}`)));
  });
  return { child, url, ended };
}

const readyAt = async (url: string): Promise<number> => (await fetch(`${url}/ready`)).status;

describe("a process that is told to end", { timeout: 60_000 }, () => {
  it("by SIGTERM is not ready but serves, until a second one", async () => {
    const { child, url, ended } = await serve("300");
    expect(await readyAt(url)).toBe(200);
    child.kill("SIGTERM");
    await expect.poll(() => readyAt(url)).toBe(503);
    const answer = await fetch(`${url}/api/v1/plugins`);
    expect([answer.status, answer.headers.get("connection")]).toEqual([200, "close"]);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  it("by Ctrl-C does not wait, however often the terminal's signal is passed on", async () => {
    const { child, ended } = await serve("300");
    child.kill("SIGINT");
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  });

  it("has nothing to wait for where it is the only one", async () => {
    const { child, ended } = await serve("");
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  it("does so though the bus's server takes connections and says nothing", async () => {
    const taken = new Set<Socket>();
    const silent = createServer((socket) => void taken.add(socket.on("error", () => undefined)));
    await once(silent.listen(0, "127.0.0.1"), "listening");
    const { port } = silent.address() as AddressInfo;
    const { child, ended } = await serve("0", { NATS_URL: `nats://127.0.0.1:${port}` });
    await expect.poll(() => taken.size).toBeGreaterThan(0);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    for (const socket of taken) socket.destroy();
    silent.close();
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

it("a process whose stores are away lives, is not ready, and ends when it is told to", async () => {
  const port = await freePort();
  const stores = {
    MONGODB_URL: "mongodb://127.0.0.1:1/x",
    NATS_URL: "nats://127.0.0.1:1",
    S3_ENDPOINT: "http://127.0.0.1:1",
  };
  const secrets = { SECRET_KEY: "k".repeat(40), S3_ACCESS_KEY: "access", S3_SECRET_KEY: "of the store" };
  const elsewhere = { AUTH_ADDR: "127.0.0.1:1", STORAGE_ADDR: "127.0.0.1:1", ANALYTICS_ADDR: "127.0.0.1:1" };
  const env = { ...stores, ...secrets, ...elsewhere, GRPC_PORT: "0", METRICS_PORT: `${port}` };
  const child = spawn(process.execPath, [program, "serve", "catalog"], {
    cwd: await folders.empty(),
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: "ignore",
  });
  running.push(child);
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const statusOf = (path: string): Promise<number> =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      ({ status }) => status,
      () => 0,
    );
  await expect.poll(() => statusOf("/health"), { timeout: 10_000 }).toBe(200);
  expect(await statusOf("/ready")).toBe(503);
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
}, 20_000);
