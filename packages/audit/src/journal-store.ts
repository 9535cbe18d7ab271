import type { Collection, Documents } from "@registry/documents";
import type { Told } from "./entry.ts";

/** A change of this service that the log does not have yet. */
type JournalDocument = {
  /** Of the change. */
  readonly _id: string;
  /** `open`: its end is not known; `done`: it waits to be delivered. */
  readonly state: "open" | "done";
  readonly entry: Told;
  /** When an open one is taken for cut off. */
  readonly until: Date;
  readonly endedAt?: Date;
};

/** The part of a service's own database in which changes wait for the log. */
export class JournalStore {
  readonly #documents: Collection<JournalDocument>;

  private constructor(documents: Collection<JournalDocument>) {
    this.#documents = documents;
  }

  static async open(documents: Documents): Promise<JournalStore> {
    return new JournalStore(
      await documents.collection<JournalDocument>({
        name: "audit_journal",
        indexes: [
          {
            name: "state_until",
            keys: [
              ["state", 1],
              ["until", 1],
            ],
          },
          {
            name: "state_ended_at",
            keys: [
              ["state", 1],
              ["endedAt", 1],
            ],
          },
        ],
      }),
    );
  }

  async begin(entry: Told, until: Date): Promise<void> {
    await this.#documents.insertOne({ _id: entry.id, state: "open", entry, until });
  }

  /** @returns false where it is open no more */
  async end(entry: Told, endedAt: Date): Promise<boolean> {
    const change = { $set: { state: "done", entry, endedAt } };
    return (await this.#documents.updateOne({ _id: entry.id, state: "open" }, change)).matchedCount > 0;
  }

  async add(entry: Told, at: Date): Promise<void> {
    await this.#documents.insertOne({ _id: entry.id, state: "done", entry, until: at, endedAt: at });
  }

  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 1) await this.#documents.deleteOne({ _id: ids[0] });
    else await this.#documents.deleteMany({ _id: { $in: ids } });
  }

  /** Ends what is open for longer than it may be; any replica may. @returns how many */
  async interrupt(now: Date, limit: number): Promise<number> {
    const overdue = await this.#documents.find({ state: "open", until: { $lt: now } }, { limit });
    for (const { _id } of overdue) {
      const set = { state: "done", "entry.result": "interrupted", "entry.reason": "INTERRUPTED", endedAt: now };
      await this.#documents.updateOne({ _id, state: "open" }, { $set: set });
    }
    return overdue.length;
  }

  /** What waits for delivery since before then, longest first. */
  async waiting(before: Date, limit: number): Promise<Told[]> {
    const filter = { state: "done", endedAt: { $lte: before } };
    const found = await this.#documents.find(filter, { sort: [["endedAt", 1]], limit });
    return found.map(({ entry }) => entry);
  }
}
