import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Documents, openSqliteDocuments } from "@registry/documents";
import { unavailable } from "@registry/domain";
import type { AuditBegin } from "@registry/kit";
import { createTestSurroundings, TestClock, userCaller } from "@registry/kit/testing";
import type { Told } from "../entry.ts";
import { type Journal, openJournal } from "../journal.ts";

/** A log that may be away, and keeps what it is told once by its id. */
export class StandInLog {
  readonly rows = new Map<string, Told>();
  readonly batches: number[] = [];
  isAway = false;
  /** Runs once an entry is kept and before that is acknowledged. */
  beforeAnswer: () => Promise<void> = async () => undefined;

  readonly deliver = async (entries: readonly Told[]): Promise<void> => {
    if (this.isAway) throw unavailable("The audit log");
    this.batches.push(entries.length);
    for (const entry of entries) if (!this.rows.has(entry.id)) this.rows.set(entry.id, entry);
    await this.beforeAnswer();
  };

  get results(): readonly (readonly [id: string, result: string])[] {
    return [...this.rows.values()].map(({ id, result }) => [id, result]);
  }
}

/** One service's store and the log that its journals deliver to. */
export class JournalWorld {
  readonly clock = new TestClock();
  readonly auditLog = new StandInLog();
  readonly documents: Documents;
  readonly #folder: string;
  readonly #journals: Journal[] = [];

  private constructor(folder: string, documents: Documents) {
    this.#folder = folder;
    this.documents = documents;
  }

  static async open(): Promise<JournalWorld> {
    const folder = await mkdtemp(join(tmpdir(), "audit-"));
    return new JournalWorld(folder, await openSqliteDocuments({ path: join(folder, "service.db") }));
  }

  /** A replica's; not started. */
  async journal(documents = this.documents): Promise<Journal> {
    const { log } = createTestSurroundings();
    const { clock } = this;
    const { deliver } = this.auditLog;
    const journal = await openJournal({
      documents,
      clock,
      log,
      deliver,
      pauses: { idle: 50, first: 20, longest: 100 },
    });
    this.#journals.push(journal);
    return journal;
  }

  /** Ids of changes that the store still holds, with their states. */
  async kept(): Promise<Record<string, string>> {
    const collection = await this.documents.collection<{ _id: string; state: string }>({
      name: "audit_journal",
      indexes: [],
    });
    return Object.fromEntries((await collection.find({})).map(({ _id, state }) => [_id, state]));
  }

  async close(): Promise<void> {
    for (const journal of this.#journals) await journal.close();
    await this.documents.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export function change(id: string, more: Partial<AuditBegin> = {}): AuditBegin {
  return {
    id,
    caller: userCaller("olga", "publisher", 11),
    action: "release.yank",
    target: "pump@1.0.0",
    address: "192.0.2.7",
    via: "gateway",
    requestId: "request-1",
    longestMs: 10_000,
    ...more,
  };
}
