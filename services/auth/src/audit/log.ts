import { bounded, type Told } from "@registry/audit";
import { type Collection, type Documents, DuplicateKeyError, type Filter } from "@registry/documents";
import { RegistryError, unavailable } from "@registry/domain";
import type { Keys, Logger } from "@registry/kit";
import { EndMark, type EndMarked } from "./end-mark.ts";
import { type AuditRow, emptyLog, type LogEnd, rowAfter } from "./row.ts";

const attempts = 100;

const entryIndex = "entry";
const filterIndexes = ["actor", "action", "target", "organisation", "result"].map((field) => ({
  name: `${field}_time`,
  keys: [
    [field, 1],
    ["time", -1],
    ["_id", -1],
  ] as const,
}));

/**
 * The chain of rows. Any number of replicas append: the row whose insert takes the next sequence is the next one, and
 * who comes second chains anew. No row is ever changed or removed.
 */
export class AuditLog {
  readonly #rows: Collection<AuditRow>;
  readonly #mark: EndMark;
  readonly #log: Logger;
  /** As this process saw it last; another replica may have gone on. */
  #end: LogEnd | undefined;
  #appending: Promise<void> = Promise.resolve();

  private constructor(rows: Collection<AuditRow>, mark: EndMark, log: Logger) {
    this.#rows = rows;
    this.#mark = mark;
    this.#log = log;
  }

  static async open(documents: Documents, keys: Keys, log: Logger): Promise<AuditLog> {
    const rows = await documents.collection<AuditRow>({
      name: "audit",
      indexes: [
        { name: entryIndex, keys: [["id", 1]], unique: true },
        {
          name: "time",
          keys: [
            ["time", -1],
            ["_id", -1],
          ],
        },
        ...filterIndexes,
      ],
    });
    return new AuditLog(rows, await EndMark.open(documents, keys), log);
  }

  /**
   * Durable and covered by the mark of the end once resolved. What is there already, by its id, is left as it is.
   * One call after the other, since their rows follow each other.
   */
  append(entries: readonly Told[]): Promise<void> {
    const appended = this.#appending.then(() => this.#append(entries));
    this.#appending = appended.catch(() => undefined);
    return appended;
  }

  async #append(entries: readonly Told[]): Promise<void> {
    if (entries.length === 0) return;
    try {
      for (const entry of entries) await this.#appendOne(bounded(entry));
      this.#end ??= await this.#readEnd();
      await this.#mark.move(this.#end);
    } catch (error) {
      this.#end = undefined;
      throw error;
    }
  }

  async #appendOne(entry: Told): Promise<void> {
    for (let i = 0; i < attempts; i++) {
      this.#end ??= await this.#readEnd();
      const row = rowAfter(this.#end, entry);
      try {
        await this.#rows.insertOne(row);
        this.#end = { sequence: row._id, hash: row.hash };
        return;
      } catch (error) {
        if (!(error instanceof DuplicateKeyError)) throw error;
        if (error.index === entryIndex) return;
        this.#end = undefined;
      }
    }
    throw unavailable("The audit log");
  }

  /**
   * The last row, or the mark where that is further: what was cut off leaves a hole for ever, since its sequences are
   * not given out again.
   */
  async #readEnd(): Promise<LogEnd> {
    const [last] = await this.#rows.find({ _id: { $gt: 0 } }, { sort: [["_id", -1]], limit: 1 });
    const rows = last === undefined ? emptyLog : { sequence: last._id, hash: last.hash };
    const marked = await this.#mark.read();
    if (marked.state === "forged") this.#log.error("the mark of the audit log's end is not this registry's");
    if (marked.state !== "marked" || marked.end.sequence <= rows.sequence) return rows;
    this.#log.error({ marked: marked.end.sequence, last: rows.sequence }, "the end of the audit log is missing");
    return marked.end;
  }

  /**
   * Where the log ends, as the mark says.
   * @throws kind `rejected`, reason `AUDIT_END_FORGED`, where it is missing or was made by somebody else
   */
  async end(): Promise<LogEnd> {
    const marked: EndMarked = await this.#mark.read();
    if (marked.state === "marked") return marked.end;
    if (marked.state === "absent" && (await this.after(0, 1)).length === 0) return emptyLog;
    const text = `The mark of the audit log's end ${marked.state === "absent" ? "is missing" : "was not made by this registry"}`;
    throw new RegistryError("rejected", "AUDIT_END_FORGED", text);
  }

  row(sequence: number): Promise<AuditRow | null> {
    return this.#rows.findOne({ _id: sequence });
  }

  /** In order. */
  after(sequence: number, limit: number): Promise<AuditRow[]> {
    return this.#rows.find({ _id: { $gt: sequence } }, { sort: [["_id", 1]], limit });
  }

  /** Newest first; of the same moment, the higher sequence. */
  newest(filter: Filter, skip: number, limit: number): Promise<AuditRow[]> {
    return this.#rows.find(filter, {
      sort: [
        ["time", -1],
        ["_id", -1],
      ],
      skip,
      limit,
    });
  }

  count(filter: Filter): Promise<number> {
    return this.#rows.countDocuments(filter);
  }
}
