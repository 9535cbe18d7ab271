import { Gate, outsideTraces } from "@registry/kit";
import { Courier } from "./courier.ts";
import type { WorkParts } from "./parts.ts";
import { Turn } from "./turn.ts";

const everyMs = 500;
/** Webhooks that this process works on at once, for each delivery that may be under way: some wait for their receivers. */
const turnsPerDelivery = 2;
/** What is under way may take this long when the process ends; then it is sent again by whoever comes next. */
const closeWithinMs = 5000;

/** Looks for webhooks that something is due for, and works on those on which nobody does. */
export class Dispatcher {
  readonly #parts: WorkParts;
  readonly #courier: Courier;
  readonly #gate: Gate;
  readonly #turns = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #ending = new AbortController();
  readonly #mostTurns: number;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #away = false;

  constructor(parts: WorkParts) {
    this.#parts = parts;
    this.#courier = new Courier(parts);
    this.#mostTurns = turnsPerDelivery * parts.config.WEBHOOK_CONCURRENCY;
    // Nobody is sent away: no more wait than there are turns, four for each.
    this.#gate = new Gate(parts.config.WEBHOOK_CONCURRENCY, Number.POSITIVE_INFINITY, () => new Error("no room"));
  }

  start(): void {
    this.#timer ??= setInterval(() => this.kick(), everyMs);
    this.kick();
  }

  /** Looks now. */
  kick(): void {
    if (this.#stopping.signal.aborted) return;
    // What is sent is part of nobody's request.
    this.#looking ??= outsideTraces(() => this.#look())
      .then(
        () => {
          this.#away = false;
        },
        (error: unknown) => {
          if (!this.#away) this.#parts.log.warn({ err: error }, "webhooks not looked for, tried again");
          this.#away = true;
        },
      )
      .finally(() => {
        this.#looking = undefined;
      });
  }

  async #look(): Promise<void> {
    const room = this.#mostTurns - this.#turns.size;
    if (room <= 0) return;
    const due = await this.#parts.webhooks.due(this.#parts.clock.now(), this.#mostTurns);
    for (const { _id } of due.filter((each) => !this.#turns.has(each._id)).slice(0, room)) this.#begin(_id);
  }

  #begin(id: string): void {
    const stopping = this.#stopping.signal;
    if (stopping.aborted) return;
    const means = { courier: this.#courier, gate: this.#gate, stopping, ending: this.#ending.signal };
    const turn = new Turn(this.#parts, means, id).take().finally(() => this.#turns.delete(id));
    this.#turns.set(id, turn);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#looking;
    const late = setTimeout(() => this.#ending.abort(), closeWithinMs);
    await Promise.all(this.#turns.values());
    clearTimeout(late);
    this.#ending.abort();
  }
}
