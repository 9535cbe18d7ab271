import type { Documents } from "@registry/documents";
import { unavailable } from "@registry/domain";
import type { AuditBegin, AuditJournal, AuditNote, AuditResult, Clock, Logger } from "@registry/kit";
import { batchSize, type Deliver, Delivery } from "./delivery.ts";
import { type Told, toldOf } from "./entry.ts";
import { JournalStore } from "./journal-store.ts";
import { type Pauses, Rounds, usualPauses } from "./rounds.ts";

export interface JournalDeps {
  /** The service's own database. */
  readonly documents: Documents;
  readonly clock: Clock;
  readonly log: Logger;
  readonly deliver: Deliver;
  /** Between two looks at what is left. Default 5 s, after failures 1 s to 30 s. */
  readonly pauses?: Pauses;
}

export interface Journal extends AuditJournal {
  /** Begins to deliver what is left of earlier runs, and goes on. Called once, when the log can be reached. */
  start(): void;
  /** Stops looking after what is left; what ends later is still written down. Idempotent. */
  close(): Promise<void>;
}

/** Longest that whoever made a change waits for the log: normally its row is there with the answer. */
const patienceMs = 1000;
/** A process that is alive ends its entries itself; this long after the end of the call it is taken for dead. */
const graceMs = 60_000;
/** What ended a moment ago is under way to the log already. */
const freshMs = 2000;
const closingMs = 3000;
/** More outcomes than the store could not take are not kept in memory: their entries end as interrupted. */
const mostUnsaved = 10_000;

/** @throws as the store does */
export async function openJournal(deps: JournalDeps): Promise<Journal> {
  return new DocumentJournal(deps, await JournalStore.open(deps.documents));
}

/**
 * Keeps changes in the service's own database until the log has them: an entry is there before the change is made, so
 * no crash loses it, and leaves only when the log has acknowledged it, so the log may be away.
 */
class DocumentJournal implements Journal {
  readonly #deps: JournalDeps;
  readonly #store: JournalStore;
  readonly #delivery: Delivery;
  readonly #rounds: Rounds;
  readonly #open = new Map<string, { readonly begin: AuditBegin; readonly time: Date }>();
  /** What ended while the store was away; undefined for what is to be dropped. */
  readonly #unsaved = new Map<string, Told | undefined>();
  readonly #removals = new Set<Promise<void>>();

  constructor(deps: JournalDeps, store: JournalStore) {
    this.#deps = deps;
    this.#store = store;
    this.#delivery = new Delivery(deps.deliver);
    this.#rounds = new Rounds(() => this.#lookAfter(), deps.log, deps.pauses ?? usualPauses);
  }

  start(): void {
    this.#rounds.start();
  }

  async close(): Promise<void> {
    await this.#rounds.close();
    await within(closingMs, this.#delivery.idle());
    await within(closingMs, Promise.all(this.#removals));
  }

  async begin(begin: AuditBegin): Promise<void> {
    const time = this.#deps.clock.now();
    const longestMs = Math.max(begin.longestMs, graceMs) + graceMs;
    try {
      await this.#store.begin(toldOf(begin, {}, time, "", ""), new Date(time.getTime() + longestMs));
    } catch (error) {
      throw unavailable("The journal of changes", error);
    }
    this.#open.set(begin.id, { begin, time });
  }

  async end(id: string, result: AuditResult, note: AuditNote, reason: string): Promise<void> {
    const opened = this.#open.get(id);
    if (opened === undefined) return;
    this.#open.delete(id);
    const entry = toldOf(opened.begin, note, opened.time, result, reason);
    await Promise.all([this.#save(entry), this.#tell(entry)]);
  }

  async drop(id: string): Promise<void> {
    if (!this.#open.delete(id)) return;
    await this.#store.remove([id]).catch((error: unknown) => this.#keepUnsaved(id, undefined, error));
  }

  async refuse(begin: AuditBegin, reason: string): Promise<void> {
    const time = this.#deps.clock.now();
    const entry = toldOf(begin, {}, time, "denied", reason);
    try {
      await this.#store.add(entry, time);
    } catch (error) {
      this.#deps.log.warn({ err: error }, "a refused call could not be written down");
      return;
    }
    await this.#tell(entry);
  }

  async #save(entry: Told): Promise<void> {
    try {
      if (await this.#store.end(entry, this.#deps.clock.now())) return;
      const { id, action, result } = entry;
      this.#deps.log.warn({ id, action, result }, "this change had been taken for interrupted when it ended");
    } catch (error) {
      this.#keepUnsaved(entry.id, entry, error);
    }
  }

  #keepUnsaved(id: string, entry: Told | undefined, error: unknown): void {
    this.#deps.log.warn({ err: error }, "the end of a change is kept in memory, since the store is away");
    if (this.#unsaved.size < mostUnsaved) this.#unsaved.set(id, entry);
    this.#rounds.soon();
  }

  /** Waits for the log as long as that is hoped for. */
  async #tell(entry: Told): Promise<void> {
    if (this.#rounds.failing) return;
    const told = this.#delivery.send(entry).then(
      () => this.#remove(entry.id),
      (error: unknown) => {
        this.#deps.log.warn({ err: error }, "changes wait for the audit log");
        this.#rounds.soon();
      },
    );
    await within(patienceMs, told);
  }

  /** Whoever made the change need not wait for this; left undone, it is told again, which changes nothing. */
  #remove(id: string): void {
    const removal: Promise<void> = this.#store
      .remove([id])
      .catch(() => this.#rounds.soon())
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  /** One round through what was left: by failures here, by crashes anywhere. */
  async #lookAfter(): Promise<void> {
    for (const [id, entry] of this.#unsaved) {
      if (entry === undefined) await this.#store.remove([id]);
      else await this.#store.end(entry, this.#deps.clock.now());
      this.#unsaved.delete(id);
    }
    const now = this.#deps.clock.now();
    await this.#store.interrupt(now, batchSize);
    const before = new Date(now.getTime() - freshMs);
    for (;;) {
      const entries = await this.#store.waiting(before, batchSize);
      if (entries.length === 0) return;
      await this.#deps.deliver(entries);
      await this.#store.remove(entries.map(({ id }) => id));
      this.#rounds.throwIfClosed();
    }
  }
}

/** Resolves with the work, however it ends, or when the time is over. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, ms);
  await Promise.race([work.catch(() => undefined), over.promise]);
  clearTimeout(timer);
}
