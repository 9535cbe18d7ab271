import { anySignal, type Logger } from "@registry/kit";
import type { Change } from "./model/change.ts";
import type { ChangeStore, Stretch } from "./store/changes.ts";

const everyMs = 1000;
/** Time for whoever records an event that this process was told of as well. */
const soonMs = 50;
const heartbeatMs = 5000;
const atOnce = 500;
const mostPages = 20;
/** Rows in memory. */
const mostKept = 2000;

/**
 * The end of the feed, read once for everybody in this process who follows it: each second, and when the bus tells that
 * something happened.
 */
export class Tail {
  readonly #store: ChangeStore;
  readonly #log: Logger;
  #kept: Change[] = [];
  #head: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #away = false;
  readonly #watchers = new Set<() => void>();
  readonly #closing = new AbortController();

  constructor(store: ChangeStore, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  start(): void {
    this.#timer = setInterval(() => this.#refreshUnasked(), everyMs);
    this.#refreshUnasked();
  }

  /** Something happened, and is in the feed in a moment. */
  nudge(): void {
    if (this.#closing.signal.aborted) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#refreshUnasked();
    }, soonMs);
  }

  /** Number of the last row that this process knows; asks where it knows none. */
  async head(): Promise<number> {
    if (this.#head === undefined) await this.refresh();
    return this.#head ?? 0;
  }

  /** Makes sure that this process knows what was there when the call began. */
  async refresh(): Promise<void> {
    // What is being read already may have begun before.
    await this.#reading?.catch(() => undefined);
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  /** Rows after a number, as far as this process knows them: from memory where they are recent. */
  async after(number: number, limit: number): Promise<Stretch> {
    const first = this.#kept[0]?._id;
    if (this.#head !== undefined && number >= this.#head) return { rows: [], floor: 0 };
    if (first === undefined || number < first - 1) return this.#store.after(number, limit);
    const from = number + 1 - first;
    return { rows: this.#kept.slice(from, from + limit), floor: 0 };
  }

  /** The head at once and whenever it has moved, and undefined every five seconds in between. Ends with this process. */
  async *watch(signal: AbortSignal): AsyncGenerator<number | undefined> {
    const ended = anySignal(signal, this.#closing.signal);
    let told: number | undefined;
    while (!ended.aborted) {
      const head = await this.head();
      yield head === told ? undefined : head;
      told = head;
      if (told === this.#head && !ended.aborted) await this.moved(ended, heartbeatMs);
    }
  }

  /** Settles when the head moves, after some time, or at the end. */
  moved(ended: AbortSignal, withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(wake);
        ended.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, withinMs);
      this.#watchers.add(wake);
      ended.addEventListener("abort", wake);
      if (ended.aborted) wake();
    });
  }

  #refreshUnasked(): void {
    this.refresh().then(
      () => {
        this.#away = false;
      },
      (error: unknown) => {
        if (!this.#away) this.#log.warn({ err: error }, "the change feed cannot be read, tried again");
        this.#away = true;
      },
    );
  }

  async #read(): Promise<void> {
    const before = this.#head;
    if (before === undefined) this.#head = await this.#store.newest();
    else {
      for (let page = 0; page < mostPages; page++) {
        const { rows } = await this.#store.after(this.#head ?? before, atOnce);
        this.#keep(rows);
        if (rows.length < atOnce) break;
      }
    }
    if (this.#head !== before) for (const wake of [...this.#watchers]) wake();
  }

  #keep(rows: readonly Change[]): void {
    // After a sleep for longer than rows are kept, what comes next does not follow on what is here.
    if (rows[0] !== undefined && rows[0]._id !== (this.#kept.at(-1)?._id ?? 0) + 1) this.#kept = [];
    this.#kept.push(...rows);
    if (this.#kept.length > mostKept) this.#kept = this.#kept.slice(-mostKept / 2);
    this.#head = rows.at(-1)?._id ?? this.#head;
  }

  close(): void {
    this.#closing.abort();
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
  }
}
