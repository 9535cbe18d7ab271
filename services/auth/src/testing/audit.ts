import { ChainVerifier, type Told, type Verdict } from "@registry/audit";
import { type AuditEntry, AuditServiceDefinition } from "@registry/contracts/audit";
import type { Caller } from "@registry/domain";
import type { CallOptions, ServiceClient } from "@registry/kit";
import { userCaller } from "@registry/kit/testing";
import type { AuditRow } from "../audit/row.ts";
import { openStore, type Replica, type ReplicaOptions, type Store, startReplica } from "./harness.ts";

export const admin = userCaller("ada", "admin", 1);
export const operator: Caller = { type: "service", name: "cli" };
export const catalog: Caller = { type: "service", name: "catalog" };

/** A row as a service tells it. */
export function told(id: string, more: Partial<Told> = {}): Told {
  return {
    id,
    time: new Date("2026-01-31T08:00:00Z"),
    actorType: "user",
    actor: "olga",
    actorId: 11,
    tokenId: "",
    address: "192.0.2.7",
    via: "gateway",
    action: "release.publish",
    target: "pump@1.0.0",
    organisation: "",
    beforeJson: "",
    afterJson: '{"state":"published"}',
    result: "ok",
    reason: "",
    requestId: "r",
    ...more,
  };
}

/** Replicas of auth on one store, with the audit log in it. */
export class AuditWorld {
  readonly store: Store;
  readonly #replicas: Replica[] = [];

  private constructor(store: Store) {
    this.store = store;
  }

  static async open(): Promise<AuditWorld> {
    return new AuditWorld(await openStore());
  }

  async replica(options: ReplicaOptions = {}): Promise<AuditReplica> {
    const replica = await startReplica(this.store, options);
    this.#replicas.push(replica);
    return new AuditReplica(replica);
  }

  /** The rows as they lie in the store, for whoever can write there. */
  rows() {
    return this.store.documents.collection<AuditRow>({ name: "audit", indexes: [] });
  }

  async close(): Promise<void> {
    for (const replica of this.#replicas) await replica.close();
    await this.store.close();
  }
}

export class AuditReplica {
  readonly replica: Replica;
  readonly audit: ServiceClient<typeof AuditServiceDefinition>;

  constructor(replica: Replica) {
    this.replica = replica;
    this.audit = replica.surroundings.clients.of(AuditServiceDefinition);
  }

  as(caller: Caller): CallOptions {
    return this.replica.surroundings.as(caller);
  }

  async record(...entries: readonly Told[]): Promise<void> {
    await this.audit.recordAudit({ entries: [...entries] }, this.as(catalog));
  }

  async export(from = 0): Promise<AuditEntry[]> {
    const rows: AuditEntry[] = [];
    for await (const { entries } of this.audit.exportAudit({ fromSequence: from }, this.as(operator))) {
      rows.push(...entries);
    }
    return rows;
  }

  async verify(): Promise<Verdict> {
    const { current } = await this.audit.getAuditHead({}, this.as(operator));
    const { sequence = 0, hash = "", time = new Date(0) } = current ?? {};
    const verifier = new ChainVerifier([{ sequence, hash, time, source: "now" }]);
    for (const row of await this.export()) verifier.add(row);
    return verifier.verdict();
  }
}
