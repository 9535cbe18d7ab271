import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach } from "vitest";
import { captureOutput, registerSecret } from "../secrets/record.ts";
import { temporaryFolder } from "../servers/cleanup.ts";
import { inherited } from "../servers/environment.ts";
import { closeWithServers } from "../servers/index.ts";
import { reservePort } from "../servers/ports.ts";
import { answersHttp } from "../servers/probes.ts";
import { ControlledProcess } from "../servers/process.ts";
import { StackCertificates } from "./certificates.ts";
import {
  grpcAddresses,
  grpcTarget,
  hosts,
  type InnerService,
  networkSettings,
  type PlannedProcess,
  planStack,
  portsNeeded,
  type StackKind,
} from "./plan.ts";
import { type Stores, startStores, storeSettings } from "./stores.ts";

export { type StackKind, stackKinds } from "./plan.ts";
export { missingFor } from "./stores.ts";

const program = join(import.meta.dirname, "..", "..", "packages", "cli", "src", "main.ts");
const startWithin = 90_000;
const tokenWithin = 10_000;
const ending: NodeJS.Signals[] = ["SIGKILL", "SIGTERM", "SIGINT"];

export interface StackOptions {
  /** Settings for every process, over those that the stack makes. */
  settings?: Record<string, string>;
  /** Settings of one process, by its name, over those. */
  settingsOf?: (name: string) => Record<string, string>;
  /** Given everything that a process prints, by its name. */
  heard?: (name: string, text: string) => void;
  /** Servers to use instead of new ones; one stack at a time can use the same NATS server. */
  stores?: Stores;
  /** Has the processes show each other certificates. */
  tls?: boolean;
}

/** The registry as real processes of its command line program. */
export interface Stack {
  kind: StackKind;
  /** `http://127.0.0.1:port` of every gateway. */
  baseUrls: string[];
  /** `host:port` of every process that hosts the service. */
  grpc: Record<InnerService, string[]>;
  /** `http://127.0.0.1:port` with `/ready` and `/metrics` of every process, by its name. */
  health: ReadonlyMap<string, string>;
  /** The bootstrap administrator's token. */
  adminToken: string;
  /** Names of the processes: `registry`, or `catalog`, or `catalog-1` and so on. */
  names: string[];
  /** The servers below, for faults; `undefined` for `embedded`. */
  stores: Stores | undefined;
  /** Of a stack that speaks TLS inside. */
  certificates: StackCertificates | undefined;
  /** The folder that all processes share, with `data-<name>` for each. */
  folder: string;
  /** Settings with which the operator's commands reach it. */
  operatorSettings: Record<string, string>;
  /** Sends a signal (default: SIGKILL), and waits for the end if it is one that ends a process. */
  kill(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** Stops a process if it runs, starts it with the same settings, and waits until it is ready. */
  restart(name: string): Promise<void>;
  /** Stops all processes gracefully; their data stays for `restart`, until `stopServers`. */
  stop(): Promise<void>;
  /** The last lines of one process, or of all. */
  logs(name?: string): string;
}

/**
 * Starts a registry on free ports and empty stores and waits until every process is ready. `stopServers` ends it, too.
 *
 * @throws with the output of the process that did not become ready.
 */
export async function startStack(kind: StackKind, options: StackOptions = {}): Promise<Stack> {
  const stores = kind === "embedded" ? undefined : (options.stores ?? (await startStores()));
  const folder = temporaryFolder(`stack-${kind}`);
  const reserved = await Promise.all(Array.from({ length: portsNeeded(kind) }, () => reservePort()));
  const ports = reserved.map(({ port }) => port);
  const plan = planStack(kind, ports);
  const tokenFile = join(folder.path, "admin-token");
  const common = {
    ...(stores === undefined ? {} : storeSettings(stores)),
    ADMIN_TOKEN_FILE: tokenFile,
    // Where all processes of a stack are stopped nobody is left to take over.
    SHUTDOWN_DELAY_SECONDS: "0",
    ...options.settings,
  };
  const certificates = options.tls === true ? new StackCertificates(join(folder.path, "tls"), plan) : undefined;
  const processes = new Map(
    plan.map((planned) => {
      const { name } = planned;
      const settings = { ...certificates?.settingsOf(planned), ...common, ...options.settingsOf?.(name) };
      return [name, describeProcess(plan, planned, folder.path, settings, options.heard)];
    }),
  );
  closeWithServers(async () => {
    await Promise.all([...processes.values()].map((running) => running.kill()));
    folder.remove();
    for (const port of reserved) port.release();
  });
  const started = await Promise.allSettled([...processes.values()].map((running) => running.start()));
  const failed = started.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  const adminToken = await readToken(tokenFile);
  registerSecrets(adminToken, common, folder.path, plan);
  const operatorSettings = {
    ...common,
    ...certificates?.operatorSettings,
    AUTH_ADDR: grpcTarget(plan, "auth"),
    CATALOG_ADDR: grpcTarget(plan, "catalog"),
    ANALYTICS_ADDR: grpcTarget(plan, "analytics"),
    DATA_DIR: join(folder.path, `data-${plan[0]?.name}`),
  };
  return {
    kind,
    stores,
    certificates,
    folder: folder.path,
    operatorSettings,
    adminToken,
    ...addresses(plan),
    ...controls(processes),
  };
}

/** Prints the end of every process's log when a test of the calling file has failed. */
export function printLogsOnFailure(stack: () => Stack | undefined): void {
  afterEach(({ task }) => {
    const log = task.result?.state === "fail" ? stack()?.logs() : undefined;
    if (log !== undefined) process.stderr.write(`${log}\n`);
  });
}

function describeProcess(
  plan: PlannedProcess[],
  planned: PlannedProcess,
  folder: string,
  common: Record<string, string>,
  heard: StackOptions["heard"],
): ControlledProcess {
  const capture = captureOutput(planned.name);
  const { PATH, HOME, TMPDIR } = inherited();
  const settings = { ...networkSettings(plan, planned), DATA_DIR: join(folder, `data-${planned.name}`), ...common };
  return new ControlledProcess({
    name: planned.name,
    program: process.execPath,
    args: [program, "serve", ...planned.hosts],
    cwd: folder,
    env: { PATH, HOME, TMPDIR, ...settings },
    ready: () => answersHttp(`http://127.0.0.1:${planned.httpPort}/ready`),
    startWithin,
    heard: (text) => {
      capture(text);
      heard?.(planned.name, text);
    },
  });
}

function addresses(plan: PlannedProcess[]): Pick<Stack, "baseUrls" | "grpc" | "health" | "names"> {
  const url = ({ httpPort }: PlannedProcess) => `http://127.0.0.1:${httpPort}`;
  return {
    names: plan.map(({ name }) => name),
    baseUrls: plan.filter((planned) => hosts(planned, "gateway")).map(url),
    health: new Map(plan.map((planned) => [planned.name, url(planned)])),
    grpc: {
      auth: grpcAddresses(plan, "auth"),
      catalog: grpcAddresses(plan, "catalog"),
      storage: grpcAddresses(plan, "storage"),
      analytics: grpcAddresses(plan, "analytics"),
    },
  };
}

function controls(processes: Map<string, ControlledProcess>): Pick<Stack, "kill" | "restart" | "stop" | "logs"> {
  const named = (name: string): ControlledProcess => {
    const found = processes.get(name);
    if (found === undefined) throw new Error(`no process ${name}; there are ${[...processes.keys()].join(", ")}`);
    return found;
  };
  return {
    async kill(name, signal = "SIGKILL") {
      const target = named(name);
      target.signal(signal);
      if (ending.includes(signal)) await target.ended();
    },
    async restart(name) {
      await named(name).stop();
      await named(name).start();
    },
    async stop() {
      await Promise.all([...processes.values()].map((running) => running.stop()));
    },
    logs(name) {
      const chosen = name === undefined ? [...processes.keys()] : [name];
      return chosen.map((each) => `--- ${each}\n${named(each).log()}`).join("\n");
    },
  };
}

/** Settings that are secrets; an access key is part of presigned addresses. */
const secretSettings = /(?:SECRET|SECRET_KEY|PASSWORD)$/;

function registerSecrets(
  adminToken: string,
  settings: Readonly<Record<string, string>>,
  folder: string,
  plan: readonly PlannedProcess[],
): void {
  registerSecret("API token", adminToken);
  for (const [name, value] of Object.entries(settings)) if (secretSettings.test(name)) registerSecret(name, value);
  for (const { name } of plan) {
    const made = join(folder, `data-${name}`, "secret-key");
    if (existsSync(made)) registerSecret("SECRET_KEY", readFileSync(made, "utf8").trim());
  }
}

async function readToken(file: string): Promise<string> {
  const limit = performance.now() + tokenWithin;
  while (!existsSync(file) || readFileSync(file, "utf8").trim() === "") {
    if (performance.now() > limit) throw new Error(`no administrator's token in ${file}`);
    await delay(20);
  }
  return readFileSync(file, "utf8").trim();
}
