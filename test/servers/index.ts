import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { temporaryFolder } from "./cleanup.ts";
import { inherited, onCi, setting } from "./environment.ts";
import { findServer } from "./find.ts";
import { reservePort } from "./ports.ts";
import { answersHttp, answersMongo, answersNats } from "./probes.ts";
import { type Command, type Controlled, ControlledProcess } from "./process.ts";
import type { ServerName } from "./recipes.ts";

/**
 * Real servers for tests. Each test file starts its own, on a free port and an empty temporary folder: all four answer within
 * a second (measured on two cores: NATS 0.1 s, MongoDB and FerretDB 0.2 s, MinIO 0.6 s), so none is shared between files.
 *
 * Where `TEST_MONGODB_URL`, `TEST_FERRETDB_URL`, `TEST_NATS_URL` or `TEST_S3_ENDPOINT` (with `TEST_S3_ACCESS_KEY` and
 * `TEST_S3_SECRET_KEY`) names a running server, that one is used: its data is not empty and it cannot be stopped, so use
 * names of your own for databases, streams and buckets.
 */
export interface TestServer extends Controlled {
  /** False for a server that the environment names: `stop`, `kill`, `start` and `signal` throw. */
  readonly controllable: boolean;
  /** Where it keeps its data, for tests that take that away while it is stopped; empty where it is not controllable. */
  readonly dataFolder: string;
}

/** A NATS server with JetStream on files: `nats://127.0.0.1:port`. */
export interface NatsServer extends TestServer {
  url: string;
}

/** A server of the MongoDB protocol: `mongodb://127.0.0.1:port`. */
export interface MongoServer extends TestServer {
  url: string;
}

/** An S3 server without buckets: `http://127.0.0.1:port`. */
export interface MinioServer extends TestServer {
  endpoint: string;
  accessKey: string;
  secretKey: string;
}

const closers: (() => Promise<void>)[] = [];

/** Has `stopServers` call `close`, before it ends what was started earlier. */
export function closeWithServers(close: () => Promise<void>): void {
  closers.push(close);
}

/** Starts a NATS server. */
export async function nats(): Promise<NatsServer> {
  const url = setting("TEST_NATS_URL");
  if (url !== undefined) return foreign("TEST_NATS_URL", { url });
  const { server, port } = await own("nats", (port, folder) => ({
    args: ["--addr", "127.0.0.1", "--port", `${port}`, "--jetstream", "--store_dir", folder],
    ready: () => answersNats(port),
  }));
  return Object.assign(server, { url: `nats://127.0.0.1:${port}` });
}

/** Starts a server that keeps documents as MongoDB does, durably. */
export async function mongo(): Promise<MongoServer> {
  const url = setting("TEST_MONGODB_URL");
  if (url !== undefined) return foreign("TEST_MONGODB_URL", { url });
  const { server, port } = await own("mongo", (port, folder, program) => ({
    args: basename(program).startsWith("mongod")
      ? ["--bind_ip", "127.0.0.1", "--port", `${port}`, "--dbpath", folder, "--nounixsocket"]
      : [
          "--host",
          "127.0.0.1",
          "--port",
          `${port}`,
          "--storage-path",
          folder,
          "--sync-on-commit",
          "--cache-size",
          "256M",
        ],
    ready: () => answersMongo(port),
  }));
  return Object.assign(server, { url: `mongodb://127.0.0.1:${port}` });
}

/** Starts a second implementation of the MongoDB protocol: no transactions, only `_id` is indexed. */
export async function ferret(): Promise<MongoServer> {
  const url = setting("TEST_FERRETDB_URL");
  if (url !== undefined) return foreign("TEST_FERRETDB_URL", { url });
  const { server, port } = await own("ferret", (port, folder) => ({
    args: ["-listen", `127.0.0.1:${port}`, "-data", folder],
    ready: () => answersMongo(port),
  }));
  return Object.assign(server, { url: `mongodb://127.0.0.1:${port}` });
}

/** Starts a MinIO server with keys of its own. */
export async function minio(): Promise<MinioServer> {
  const endpoint = setting("TEST_S3_ENDPOINT");
  if (endpoint !== undefined) {
    const accessKey = setting("TEST_S3_ACCESS_KEY") ?? "";
    return foreign("TEST_S3_ENDPOINT", { endpoint, accessKey, secretKey: setting("TEST_S3_SECRET_KEY") ?? "" });
  }
  const accessKey = `test-${randomBytes(4).toString("hex")}`;
  const secretKey = randomBytes(16).toString("hex");
  const { server, port } = await own("minio", (port, folder) => ({
    args: ["server", "--quiet", "--address", `127.0.0.1:${port}`, folder],
    env: inherited({ MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey, MINIO_BROWSER: "off" }),
    ready: () => answersHttp(`http://127.0.0.1:${port}/minio/health/ready`),
  }));
  return Object.assign(server, { endpoint: `http://127.0.0.1:${port}`, accessKey, secretKey });
}

/** Stops every server, and every stack, that this test file has started and removes their data. For `afterAll`. */
export async function stopServers(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/**
 * Why a suite that needs these servers cannot run here, for `describe.skipIf`; the reason is printed. On CI always
 * `undefined`: there the suite shall fail.
 */
export function missing(...names: ServerName[]): string | undefined {
  if (onCi()) return undefined;
  const absent = names.filter((name) => !named(name) && findServer(name) === undefined);
  if (absent.length === 0) return undefined;
  const reason = notInstalled(absent);
  process.stderr.write(`skipped: ${reason}\n`);
  return reason;
}

const addressSettings: Partial<Record<ServerName, string>> = {
  nats: "TEST_NATS_URL",
  mongo: "TEST_MONGODB_URL",
  ferret: "TEST_FERRETDB_URL",
  minio: "TEST_S3_ENDPOINT",
};

function named(name: ServerName): boolean {
  const address = addressSettings[name];
  return address !== undefined && setting(address) !== undefined;
}

function notInstalled(names: string[]): string {
  return `${names.join(" and ")} not installed; \`npm test\` or \`node test/servers/install.ts\` does that`;
}

type Arguments = Pick<Command, "args" | "env" | "ready">;

async function own(name: ServerName, describe: (port: number, folder: string, program: string) => Arguments) {
  const program = findServer(name);
  if (program === undefined) throw new Error(notInstalled([name]));
  const reserved = await reservePort();
  const folder = temporaryFolder(name);
  const data = join(folder.path, "data");
  mkdirSync(data);
  const command = { name, program, cwd: folder.path, env: inherited(), ...describe(reserved.port, data, program) };
  const server = Object.assign(new ControlledProcess(command), { controllable: true, dataFolder: data });
  closeWithServers(async () => {
    await server.kill();
    folder.remove();
    reserved.release();
  });
  await server.start();
  return { server, port: reserved.port };
}

function foreign<Address extends object>(source: string, address: Address): Address & TestServer {
  const refuse = () => {
    throw new Error(`the server that ${source} names cannot be stopped or started by a test`);
  };
  const controls = { start: refuse, stop: refuse, kill: refuse, ended: refuse, signal: refuse };
  return { ...address, controllable: false, dataFolder: "", pid: undefined, ...controls, log: () => "" };
}
