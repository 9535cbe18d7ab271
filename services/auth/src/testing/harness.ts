import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuthServiceDefinition } from "@registry/contracts/auth";
import { FederationServiceDefinition } from "@registry/contracts/federation";
import { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import { type Documents, openSqliteDocuments } from "@registry/documents";
import { isRegistryError, type RegistryError } from "@registry/domain";
import {
  type AuditNote,
  type AuthPort,
  type CallOptions,
  inspectSettings,
  type ServiceClient,
  type ServiceTable,
} from "@registry/kit";
import { createTestSurroundings, type TestSurroundings } from "@registry/kit/testing";
import { type AuthService, createAuthService } from "../auth.ts";
import { authSettings } from "../config.ts";
import type { AuthConfig } from "../parts.ts";

export interface Store {
  readonly documents: Documents;
  readonly folder: string;
  close(): Promise<void>;
}

export async function openStore(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "auth-"));
  const documents = await openSqliteDocuments({ path: join(folder, "auth.db") });
  return {
    documents,
    folder,
    async close() {
      await documents.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Replica {
  readonly service: AuthService;
  readonly surroundings: TestSurroundings;
  readonly auth: ServiceClient<typeof AuthServiceDefinition>;
  readonly federation: ServiceClient<typeof FederationServiceDefinition>;
  readonly organisations: ServiceClient<typeof OrganisationServiceDefinition>;
  /** What the audit log would be told of each call that it is told of, in order. */
  readonly notes: readonly AuditNote[];
  close(): Promise<void>;
}

export interface ReplicaOptions {
  readonly config?: Partial<AuthConfig>;
  readonly adminTokenFile?: string;
  readonly documents?: Documents;
}

const { settings: defaults } = inspectSettings(authSettings, { values: new Map(), fromFile: new Set() });
/** Tests come in great numbers from one address; those of limits set their own. */
const unlimited = {
  RATE_LIMIT_LOGINS: 0,
  RATE_LIMIT_REGISTRATIONS: 0,
  RATE_LIMIT_TOKENS: 0,
  RATE_LIMIT_FAILED_CREDENTIALS: 0,
  RATE_LIMIT_REPORTS: 0,
};

/** One replica of the service on the store, reached through its RPCs with its own exchange of credentials. */
export async function composeReplica(store: Store, options: ReplicaOptions = {}): Promise<Replica> {
  const port: AuthPort = {
    exchange: async (credential, address) =>
      (await client.exchangeCredential({ credential, address: address ?? "" }, { as: "service" })).internalToken,
    epoch: () => client.getRevocationEpoch({}, { as: "service" }),
  };
  const surroundings = createTestSurroundings({ auth: port, service: "gateway" });
  const service = await createAuthService(
    { ...defaults, REGISTRATION: "open", ...unlimited, REGISTRY_NAME: "Test Registry", ...options.config },
    {
      ...surroundings,
      documents: options.documents ?? store.documents,
      adminTokenFile: options.adminTokenFile ?? join(store.folder, "admin-token"),
      auditHeadFile: join(store.folder, "audit-heads.jsonl"),
    },
  );
  const notes: AuditNote[] = [];
  for (const table of service.tables) surroundings.host(noting(table, notes));
  const client = surroundings.clients.of(AuthServiceDefinition);
  return {
    service,
    surroundings,
    auth: client,
    federation: surroundings.clients.of(FederationServiceDefinition),
    organisations: surroundings.clients.of(OrganisationServiceDefinition),
    notes,
    async close() {
      await service.close();
      surroundings.close();
    },
  };
}

function noting(table: ServiceTable, notes: AuditNote[]): ServiceTable {
  const rows = Object.entries(table.rows).map(([method, row]) => {
    const handle: typeof row.handle = (request, context) => {
      if (row.audit === undefined) return row.handle(request, context);
      const noted = { ...row.audit(request) };
      notes.push(noted);
      const audit = (note: AuditNote): void => {
        Object.assign(noted, note);
        context.audit(note);
      };
      return row.handle(request, { ...context, audit });
    };
    return [method, { ...row, handle }] as const;
  });
  return { ...table, rows: Object.fromEntries(rows) };
}

export async function startReplica(store: Store, options: ReplicaOptions = {}): Promise<Replica> {
  const replica = await composeReplica(store, options);
  await replica.service.start();
  return replica;
}

/** Calls with a credential, as a client outside would. */
export function bearer(credential: string, address = "127.0.0.1"): CallOptions {
  return from(address, `Bearer ${credential}`);
}

/** Calls from an address, anonymously unless told otherwise. */
export function from(address: string, authorization?: string): CallOptions {
  return {
    context: {
      address,
      authorization,
      signal: AbortSignal.timeout(60_000),
      deadline: new Date(Date.now() + 60_000),
      requestId: "test",
    },
  };
}

/** Puts the clocks of replicas to where a new window of so many seconds begins, and so a story into one window. */
export function beginWindow(replicas: readonly Replica[], seconds: number): void {
  const lengthMs = seconds * 1000;
  const rest = lengthMs - (Math.max(...replicas.map(({ surroundings }) => +surroundings.clock.now())) % lengthMs);
  for (const { surroundings } of replicas) surroundings.clock.advance(rest);
}

/** The error that a call fails with; fails where it succeeds. */
export async function failure(call: Promise<unknown>): Promise<RegistryError> {
  const outcome = await call.then(
    () => new Error("the call succeeded"),
    (error: unknown) => error,
  );
  if (isRegistryError(outcome)) return outcome;
  throw outcome;
}
