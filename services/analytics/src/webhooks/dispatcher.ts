import { Gate, Periodic } from "@registry/kit";
import { Courier } from "./courier.ts";
import type { WorkParts } from "./parts.ts";
import { Turn } from "./turn.ts";

const everyMs = 500;
const lookedAt = 500;
const tellEveryMs = 60_000;
/** What is under way may take this long when the process ends; then it is sent again by whoever comes next. */
const closeWithinMs = 5000;

/** Somebody's turn. */
interface Underway {
  readonly owner: string;
  readonly failing: boolean;
  readonly work: Promise<void>;
}

/** Looks for webhooks that something is due for, and works on those on which nobody does. */
export class Dispatcher {
  readonly #parts: WorkParts;
  readonly #courier: Courier;
  readonly #looking: Periodic;
  readonly #gate: Gate;
  readonly #turns = new Map<string, Underway>();
  readonly #stopping = new AbortController();
  readonly #ending = new AbortController();
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(parts: WorkParts) {
    this.#parts = parts;
    this.#courier = new Courier(parts);
    const failed = "webhooks not looked for, tried again";
    this.#looking = new Periodic(() => this.#look(), { everyMs, log: parts.log, failed });
    // Nobody is sent away: no more wait than there are turns, four for each.
    this.#gate = new Gate(parts.config.WEBHOOK_CONCURRENCY, Number.POSITIVE_INFINITY, () => new Error("no room"));
  }

  start(): void {
    this.#looking.start();
    this.kick();
  }

  /** Looks now. */
  kick(): void {
    void this.#looking.kick();
  }

  async #look(): Promise<void> {
    const { webhooks, clock } = this.#parts;
    for (const failing of [false, true]) {
      const due = await webhooks.due(clock.now(), failing, lookedAt);
      for (const { _id, ownerKey } of due)
        if (this.#hasRoom(_id, ownerKey, failing)) this.#begin(_id, ownerKey, failing);
    }
  }

  /**
   * Whether the webhook may have its turn: those that fail, with one delivery at a time each, take no more than half of
   * what may be under way, and neither do those of one owner, with up to four each. Of an owner's, too, half is left to
   * those that work.
   */
  #hasRoom(id: string, owner: string, failing: boolean): boolean {
    const width = this.#parts.config.WEBHOOK_CONCURRENCY;
    const turns = [...this.#turns.values()];
    if (this.#turns.has(id) || turns.length >= 2 * width) return false;
    if (failing && turns.filter((turn) => turn.failing).length >= Math.ceil(width / 2)) return false;
    const own = turns.filter((turn) => turn.owner === owner);
    const most = Math.ceil(width / 8);
    if (failing && own.filter((turn) => turn.failing).length >= Math.ceil(most / 2)) return false;
    return own.length < most;
  }

  #begin(id: string, owner: string, failing: boolean): void {
    const stopping = this.#stopping.signal;
    if (stopping.aborted) return;
    const means = { courier: this.#courier, gate: this.#gate, stopping, ending: this.#ending.signal };
    const work = new Turn(this.#parts, means, id).take().then((trouble) => {
      this.#turns.delete(id);
      if (trouble === undefined) this.kick();
      else this.#tell(trouble, id);
    });
    this.#turns.set(id, { owner, failing, work });
  }

  /** Where auth or a store is away, that is so for all of them. */
  #tell(trouble: unknown, webhook: string): void {
    if (this.#stopping.signal.aborted) return;
    const now = performance.now();
    const level = now - this.#toldAt > tellEveryMs ? "warn" : "debug";
    if (level === "warn") this.#toldAt = now;
    this.#parts.log[level]({ err: trouble, webhook }, "deliveries to a webhook are tried again in a moment");
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#looking.close();
    const late = setTimeout(() => this.#ending.abort(), closeWithinMs);
    await Promise.all([...this.#turns.values()].map(({ work }) => work));
    clearTimeout(late);
    this.#ending.abort();
  }
}
