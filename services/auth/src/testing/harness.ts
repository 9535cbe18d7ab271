import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuthServiceDefinition } from "@registry/contracts/auth";
import { type Documents, openSqliteDocuments } from "@registry/documents";
import { isRegistryError, type RegistryError } from "@registry/domain";
import type { AuthPort, CallOptions, ServiceClient } from "@registry/kit";
import { createTestSurroundings, type TestSurroundings } from "@registry/kit/testing";
import { type AuthService, createAuthService } from "../auth.ts";
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
  close(): Promise<void>;
}

export interface ReplicaOptions {
  readonly config?: Partial<AuthConfig>;
  readonly adminTokenFile?: string;
  readonly documents?: Documents;
}

/** One replica of the service on the store, reached through its RPCs with its own exchange of credentials. */
export async function composeReplica(store: Store, options: ReplicaOptions = {}): Promise<Replica> {
  const port: AuthPort = {
    exchange: async (credential, address) =>
      (await client.exchangeCredential({ credential, address: address ?? "" }, { as: "service" })).internalToken,
    epoch: async () => (await client.getRevocationEpoch({}, { as: "service" })).epoch,
  };
  const surroundings = createTestSurroundings({ auth: port, service: "gateway" });
  const service = await createAuthService(
    {
      REGISTRATION: "open",
      REGISTRATION_ROLE: "user",
      TOKEN_LIFETIME_DAYS: 30,
      AUDIT_HEAD_SECONDS: 3600,
      ...options.config,
    },
    {
      ...surroundings,
      documents: options.documents ?? store.documents,
      adminTokenFile: options.adminTokenFile ?? join(store.folder, "admin-token"),
      auditHeadFile: join(store.folder, "audit-heads.jsonl"),
    },
  );
  for (const table of service.tables) surroundings.host(table);
  const client = surroundings.clients.of(AuthServiceDefinition);
  return {
    service,
    surroundings,
    auth: client,
    async close() {
      await service.close();
      surroundings.close();
    },
  };
}

export async function startReplica(store: Store, options: ReplicaOptions = {}): Promise<Replica> {
  const replica = await composeReplica(store, options);
  await replica.service.start();
  return replica;
}

/** Calls with a credential, as a client outside would. */
export function bearer(credential: string, address = "127.0.0.1"): CallOptions {
  return {
    context: {
      address,
      authorization: `Bearer ${credential}`,
      signal: AbortSignal.timeout(60_000),
      deadline: new Date(Date.now() + 60_000),
      requestId: "test",
    },
  };
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
