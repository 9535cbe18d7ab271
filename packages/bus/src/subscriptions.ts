import type { Subscription } from "./port.ts";

/** Those that a bus has open: each ends once, and all of them with it. */
export class Subscriptions {
  readonly #open = new Set<Subscription>();

  add(end: () => Promise<void>): Subscription {
    let ended: Promise<void> | undefined;
    const subscription: Subscription = {
      close: () => {
        this.#open.delete(subscription);
        ended ??= end();
        return ended;
      },
    };
    this.#open.add(subscription);
    return subscription;
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open].map((subscription) => subscription.close()));
  }
}
