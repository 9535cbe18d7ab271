import { type Caller, type Role, unauthenticated } from "@registry/domain";
import { type Clock, systemIds } from "./clock.ts";
import { ClientRules } from "./grpc/client-rules.ts";
import { Clients } from "./grpc/clients.ts";
import { Pipeline } from "./grpc/pipeline.ts";
import type { CallOptions, PassedOn, ServiceTable } from "./grpc/table.ts";
import { tracedCalls } from "./grpc/traced.ts";
import { type AuthPort, Identity } from "./identity/identity.ts";
import { deriveKeys } from "./identity/keys.ts";
import { orgClaims, signInternalToken } from "./identity/token.ts";
import { createLogger } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import type { Surroundings } from "./service.ts";
import { noTracing, type Tracing } from "./telemetry/tracing.ts";

/** A clock that stands where it is put, or runs with the system until it is put somewhere. */
export class TestClock implements Clock {
  #offsetMs = 0;

  now(): Date {
    return new Date(Date.now() + this.#offsetMs);
  }

  advance(ms: number): void {
    this.#offsetMs += ms;
  }
}

export interface TestSurroundings extends Surroundings {
  readonly clock: TestClock;
  readonly pipeline: Pipeline;
  /** Makes a service reachable through `clients`. */
  host(table: ServiceTable): void;
  /** Call options in the name of a caller; pass them to any client method. */
  as(caller: Caller): CallOptions;
  close(): void;
}

/** A user for tests. */
export function userCaller(username: string, role: Role = "publisher", id = 1, grants: readonly string[] = []): Caller {
  return { type: "user", id, username, role, grants };
}

export interface TestSurroundingsOptions {
  readonly anonymousRead?: boolean;
  /** Name under which calls with `as: "service"` go out. Default `gateway`. */
  readonly service?: string;
  /** How credentials are exchanged; by default none holds and the epoch stands at 0. */
  readonly auth?: AuthPort;
  /** By default none. */
  readonly tracing?: Tracing;
}

/** What a service is handed in production, in one process and without sockets, for tests that come in through its RPCs. */
export function createTestSurroundings(options: TestSurroundingsOptions = {}): TestSurroundings {
  const clock = new TestClock();
  const keys = deriveKeys("a secret for tests that is long enough");
  const log = createLogger("silent");
  const metrics = createMetrics();
  const auth: AuthPort = options.auth ?? {
    exchange: () => Promise.reject(unauthenticated()),
    epoch: () => Promise.resolve({ epoch: 0, raisedAgoMs: [] }),
  };
  const identity = new Identity(keys, clock, () => auth);
  const tracing = options.tracing ?? noTracing;
  const pipeline = new Pipeline({
    identity,
    clients: new ClientRules({ groups: new Map(), aliases: new Map() }),
    anonymousRead: options.anonymousRead ?? true,
    log,
    metrics,
    newId: systemIds.unique,
  });
  const clients = new Clients(
    { identity, pipeline: tracedCalls(pipeline, tracing), tracing, metrics, addresses: new Map() },
    options.service ?? "gateway",
  );
  return {
    clock,
    ids: systemIds,
    log,
    metrics,
    tracing,
    keys,
    identity,
    clients,
    pipeline,
    host: (table) => clients.host(table),
    as: (caller) => ({ context: contextFor(caller, keys, clock) }),
    close: () => clients.close(),
  };
}

function contextFor(caller: Caller, keys: Surroundings["keys"], clock: Clock): PassedOn {
  const exp = Math.floor(clock.now().getTime() / 1000) + 60;
  const base = { iss: "agenticraft-registry", exp } as const;
  const authorization =
    caller.type === "anonymous"
      ? undefined
      : caller.type === "service"
        ? `Bearer ${signInternalToken(keys, { ...base, svc: caller.name })}`
        : `Bearer ${signInternalToken(keys, {
            ...base,
            user_id: caller.id,
            username: caller.username,
            role: caller.role,
            grants: caller.grants,
            ...(caller.scopes === undefined ? {} : { scopes: caller.scopes }),
            orgs: orgClaims(caller.memberships ?? []),
            ...(caller.tokenId === undefined ? {} : { tok: caller.tokenId }),
            epoch: Number.MAX_SAFE_INTEGER,
          })}`;
  return {
    authorization,
    address: "127.0.0.1",
    signal: AbortSignal.timeout(60_000),
    deadline: new Date(Date.now() + 60_000),
    requestId: systemIds.unique(),
  };
}
