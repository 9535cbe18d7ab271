import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isRegistryError, RegistryError } from "@registry/domain";
import {
  ClientRules,
  Clients,
  createLogger,
  createMetrics,
  deriveKeys,
  Identity,
  inspectSettings,
  Pipeline,
  readEnvironment,
  settingsError,
  systemClock,
  systemIds,
  WatchedTls,
} from "@registry/kit";
import { fullNames } from "../plan.ts";
import { type AllSettings, allSettings } from "../settings.ts";
import { grpcTlsFiles, tlsProblems } from "../tls.ts";

/** A connection of the operator's command line to a running registry. */
export interface Operator {
  /** Of auth's services; a call with `{ as: "service" }` goes out as the service `cli`. */
  readonly clients: Clients;
  /** Where auth is: a gRPC target. */
  readonly target: string;
  close(): void;
}

const needed = /^(?:AUTH_ADDR|GRPC_HOST|GRPC_PORT|GRPC_TLS_\w+|SECRET_KEY|DATA_DIR)$/;

/**
 * Connects to a running registry with the settings that it is served with: `AUTH_ADDR`, or else `GRPC_HOST` and
 * `GRPC_PORT`, and `SECRET_KEY`, or else the key in `DATA_DIR`. Whoever can read that secret is an operator; where
 * services show certificates, so does the operator, one that names `cli`.
 * @param envFile settings file, below the environment
 * @throws kind `invalid_argument`, reason `INVALID_SETTINGS`; nothing is sent before the first call
 */
export async function connectOperator(envFile: string): Promise<Operator> {
  const { settings, problems } = inspectSettings(allSettings, readEnvironment(envFile, allSettings));
  const all = [...problems, ...tlsProblems(settings, systemClock.now())];
  const bad = all.filter(({ pointer }) => needed.test(pointer));
  if (bad.length > 0) throw settingsError(bad);
  const target = targetOf(settings);
  const keys = deriveKeys(settings.SECRET_KEY ?? readSecretKey(settings.DATA_DIR));
  const identity = new Identity(keys, systemClock, () => {
    throw new TypeError("a command of the operator serves no calls");
  });
  const log = createLogger("silent");
  const metrics = createMetrics();
  const pipeline = new Pipeline({
    identity,
    clients: new ClientRules({ groups: new Map(), aliases: new Map() }),
    anonymousRead: false,
    log,
    metrics,
    newId: systemIds.unique,
  });
  const addresses = new Map(fullNames.auth.map((name) => [name, target]));
  const files = grpcTlsFiles(settings);
  const watched = files && new WatchedTls(files, { clock: systemClock, log, everySeconds: 86_400 });
  const tls = watched && { files: watched, serverName: settings.GRPC_TLS_SERVER_NAME };
  const clients = new Clients({ identity, pipeline, metrics, addresses, tls }, "cli");
  const close = (): void => {
    clients.close();
    watched?.close();
  };
  return { clients, target, close };
}

/**
 * Connects, does the work and hangs up.
 * @throws as `connectOperator`; a registry that is away or that has another secret is told with what to do about it
 */
export async function withOperator<T>(envFile: string, work: (operator: Operator) => Promise<T>): Promise<T> {
  const operator = await connectOperator(envFile);
  try {
    return await work(operator);
  } catch (error) {
    throw explained(error, operator.target);
  } finally {
    operator.close();
  }
}

function explained(error: unknown, target: string): unknown {
  if (!isRegistryError(error)) return error;
  if (error.kind === "unavailable") {
    const text = `No registry answers gRPC at ${target}; start it, or set AUTH_ADDR (or GRPC_HOST and GRPC_PORT) to where it is`;
    return new RegistryError(error.kind, error.reason, text, { cause: error });
  }
  if (error.reason === "CLIENT_NOT_ALLOWED") {
    const text = `The registry at ${target} takes commands over certificates that name cli; set GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE to such a one`;
    return new RegistryError(error.kind, error.reason, text, { cause: error });
  }
  if (error.kind === "unauthenticated") {
    const text = `The registry at ${target} has another SECRET_KEY; use the settings that it is served with (--env, SECRET_KEY, DATA_DIR)`;
    return new RegistryError(error.kind, error.reason, text, { cause: error });
  }
  return error;
}

function targetOf({ AUTH_ADDR: address, GRPC_HOST: host, GRPC_PORT: port }: AllSettings): string {
  if (address !== undefined) return address;
  if (port === 0) {
    throw settingsError([
      { pointer: "AUTH_ADDR", reason: "needed, since GRPC_PORT=0 does not say where gRPC listens" },
    ]);
  }
  // What listens on every address is reached on this machine's own.
  const reached = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  return `${reached.includes(":") ? `[${reached}]` : reached}:${port}`;
}

function readSecretKey(dataDir: string): string {
  const path = join(dataDir, "secret-key");
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    const reason = `not set, and ${path} cannot be read (${code}); use the registry's settings file (--env) and folder`;
    throw settingsError([{ pointer: "SECRET_KEY", reason }]);
  }
}
