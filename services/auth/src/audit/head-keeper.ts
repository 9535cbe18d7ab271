import { type Head, signHead, verifyHead } from "@registry/audit";
import { type Clock, type Keys, type Logger, Periodic } from "@registry/kit";
import type { HeadFile } from "./head-file.ts";
import type { AuditLog } from "./log.ts";
import type { SignedHeads } from "./signed-heads.ts";

export interface HeadKeeperDeps {
  readonly auditLog: AuditLog;
  readonly heads: SignedHeads;
  readonly file: HeadFile;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs: number;
}

/** Signs the end of the log at intervals, wherever it has moved, and writes it down in the store and apart from it. */
export class HeadKeeper {
  readonly #deps: HeadKeeperDeps;
  readonly #keeping: Periodic;
  #last: Head | undefined;
  #started = false;

  constructor(deps: HeadKeeperDeps) {
    this.#deps = deps;
    const { everyMs, log } = deps;
    this.#keeping = new Periodic(() => this.#keep(), {
      everyMs,
      log,
      failed: "the end of the audit log was not signed",
    });
  }

  async start(): Promise<void> {
    this.#last = await this.#newest();
    this.#started = true;
    this.#keeping.start();
  }

  /** Signs once more. */
  async close(): Promise<void> {
    if (!this.#started) return;
    // One that is under way may have looked for the end before the last row came.
    await this.#keeping.kick();
    await this.#keeping.kick();
    await this.#keeping.close();
  }

  async #keep(): Promise<void> {
    const { auditLog, heads, file, keys, clock, log } = this.#deps;
    const end = await auditLog.end();
    if (end.sequence <= (this.#last?.sequence ?? 0)) return;
    // Signing goes on, for the rows to come: the head that is contradicted stays where it is, and tells.
    if (!(await this.#stands(end.sequence))) {
      log.error({ sequence: this.#last?.sequence }, "the audit log was changed; run agenticraft-registry audit verify");
    }
    const head = signHead(keys, end, clock.now());
    await heads.add(head);
    await file.append(head);
    this.#last = head;
  }

  /** Whether what was signed last is there as it was, and what is to be signed is there at all. */
  async #stands(end: number): Promise<boolean> {
    const { auditLog } = this.#deps;
    const [before, now] = await Promise.all([auditLog.row(this.#last?.sequence ?? 0), auditLog.row(end)]);
    return now !== null && (this.#last === undefined || before?.hash === this.#last.hash);
  }

  /** The file's word counts more than the store's. */
  async #newest(): Promise<Head | undefined> {
    const { file, heads, keys } = this.#deps;
    const candidates = [await file.last(), ...(await heads.newest(1))];
    return candidates.find((head) => head !== undefined && verifyHead([keys.audit.verifying], head));
  }
}
