import { DatabaseSync, type StatementSync } from "node:sqlite";

export type SqlValue = string | number | Uint8Array | null;
const maxStatements = 500;

/** A connection with its prepared statements, of which the least recently used go. Rows come back as arrays. */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string, options: { readonly readOnly: boolean; readonly timeoutMs: number }) {
    this.#db = new DatabaseSync(path, { readOnly: options.readOnly, timeout: options.timeoutMs });
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction;
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      statement.setReturnArrays(true);
      if (this.#statements.size >= maxStatements) {
        const [oldest] = this.#statements.keys();
        if (oldest !== undefined) this.#statements.delete(oldest);
      }
    } else {
      this.#statements.delete(sql);
    }
    this.#statements.set(sql, statement);
    return statement;
  }

  /** @returns how many rows changed */
  run(sql: string, args: readonly SqlValue[] = []): number {
    return Number(this.#prepare(sql).run(...args).changes);
  }

  /** @returns the new row's id, undefined if a conflict kept it out (`ON CONFLICT DO NOTHING`) */
  insert(sql: string, args: readonly SqlValue[]): number | undefined {
    const { changes, lastInsertRowid } = this.#prepare(sql).run(...args);
    return Number(changes) === 0 ? undefined : Number(lastInsertRowid);
  }

  row(sql: string, args: readonly SqlValue[] = []): readonly SqlValue[] | undefined {
    return this.#prepare(sql).get(...args) as readonly SqlValue[] | undefined;
  }

  /** Rows are made one by one as they are asked for. */
  rows(sql: string, args: readonly SqlValue[] = []): Iterable<readonly SqlValue[]> {
    return this.#prepare(sql).iterate(...args) as Iterable<unknown> as Iterable<readonly SqlValue[]>;
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}
