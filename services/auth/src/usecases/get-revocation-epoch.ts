import type { UseCase } from "../parts.ts";

export const getRevocationEpoch: UseCase<"getRevocationEpoch"> = (parts) => async () => {
  const { epoch, raisedAgoMs } = await parts.counters.epoch(parts.clock.now());
  return { epoch, raisedAgoMs: [...raisedAgoMs] };
};
