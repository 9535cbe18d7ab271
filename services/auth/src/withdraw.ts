import type { Surroundings } from "@registry/kit";
import type { Counters } from "./store/counters.ts";

/** Makes a change that takes something away from a credential or a user. */
export type Withdraw = <T>(change: () => Promise<T>) => Promise<T>;

/**
 * The change is durable before the epoch is counted up, so whoever sees the new epoch sees the change. It is announced
 * before the change, so that the count is made up for where this process dies in between.
 */
export function createWithdraw(counters: Counters, deps: Pick<Surroundings, "clock" | "ids" | "identity">): Withdraw {
  return async (change) => {
    const id = deps.ids.unique();
    await counters.beginWithdrawal({ id, at: deps.clock.now() });
    try {
      return await change();
    } finally {
      await counters.endWithdrawal(id, deps.clock.now());
      // This process need not wait for its next poll; if asking fails now, that poll still comes.
      await deps.identity.epoch.refresh().catch(() => undefined);
    }
  };
}
