import type { UseCase } from "../parts.ts";

export const getRevocationEpoch: UseCase<"getRevocationEpoch"> = (parts) => async () => ({
  epoch: await parts.counters.epoch(parts.clock.now()),
});
