import { outsideTraces, partsOf } from "@registry/kit";
import type { Change } from "../changes/model/change.ts";
import type { ChangeStore } from "../changes/store/changes.ts";
import type { Tail } from "../changes/tail.ts";
import { deliveryOf } from "./model/delivery.ts";
import { wants } from "./model/webhook.ts";
import type { WebhookParts } from "./parts.ts";

const placeName = "webhooks";
const rowsAtOnce = 100;
const webhooksAtOnce = 200;
const insertedAtOnce = 500;
const everyMs = 1000;

export interface FanoutParts extends Pick<WebhookParts, "clock" | "log" | "webhooks" | "deliveries" | "kick"> {
  readonly changes: ChangeStore;
  readonly tail: Tail;
}

/**
 * Makes deliveries of the feed's rows. One place for all replicas, which moves on only once the deliveries are stored;
 * whoever makes them twice changes nothing, since each is of its webhook and its change.
 */
export class Fanout {
  readonly #parts: FanoutParts;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  constructor(parts: FanoutParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= outsideTraces(() => this.#run());
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let away = false;
    while (!signal.aborted) {
      try {
        while (!signal.aborted && (await this.#step()));
        away = false;
      } catch (error) {
        if (!away) this.#parts.log.warn({ err: error }, "webhooks hear of changes later");
        away = true;
      }
      await this.#parts.tail.moved(signal, everyMs);
    }
  }

  /** @returns whether there may be more */
  async #step(): Promise<boolean> {
    const { changes, tail, log } = this.#parts;
    const known = await changes.place(placeName);
    // Of a feed that is older than webhooks all rows are before the first of them, and told to none.
    const place = known ?? 0;
    if (place >= (await tail.head())) return false;
    const { rows, floor } = await changes.after(place, rowsAtOnce);
    if (known !== undefined && floor > known)
      log.warn({ from: place, to: floor }, "changes aged out before webhooks were told of them");
    if (rows.length > 0) await this.#deliver(rows);
    const next = rows.at(-1)?._id ?? floor;
    if (next <= place) return false;
    await changes.movePlace(placeName, known, next);
    return true;
  }

  /** Reads the webhooks after the rows, so that none is missing that was made before one of them. */
  async #deliver(rows: readonly Change[]): Promise<void> {
    const { webhooks, deliveries, clock } = this.#parts;
    for (let after: string | undefined = ""; after !== undefined; ) {
      const some = await webhooks.activeAfter(after, webhooksAtOnce);
      const now = clock.now();
      const made = some.flatMap((webhook) =>
        rows.filter((row) => wants(webhook, row)).map((row) => deliveryOf(webhook._id, row, now)),
      );
      for (const part of partsOf(made, insertedAtOnce)) await deliveries.add(part);
      const ids = [...new Set(made.map(({ webhook }) => webhook))];
      if (ids.length > 0) await this.#wake(ids, now);
      after = some.length < webhooksAtOnce ? undefined : some.at(-1)?._id;
    }
  }

  /** Also for deliveries that were there already: whoever made them may have died before this. */
  async #wake(ids: readonly string[], now: Date): Promise<void> {
    const { webhooks, deliveries, kick } = this.#parts;
    await webhooks.wake(ids, now);
    kick();
    // Who deleted one meanwhile may have looked for its deliveries before these were there.
    for (const id of await webhooks.goneOf(ids)) await deliveries.removeAll(id);
  }

  /** When the first change came that no delivery was made of; undefined where there is none. */
  async oldest(): Promise<Date | undefined> {
    const place = (await this.#parts.changes.place(placeName)) ?? 0;
    return (await this.#parts.changes.after(place, 1)).rows[0]?.recordedAt;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }
}
