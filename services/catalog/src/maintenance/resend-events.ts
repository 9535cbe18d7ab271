import { invalid } from "@registry/domain";
import type { MaintenanceUseCase } from "./parts.ts";

/** What is kept no longer cannot be sent; how long ago that may be is for whoever asks to know. */
export const resendEvents: MaintenanceUseCase<"resendEvents"> =
  (parts) =>
  async ({ key, since }) => {
    if (!/^[\w-]{1,100}$/.test(key)) throw invalid("INVALID_KEY", "key: use 1 to 100 of A-Z a-z 0-9 - _", "/key");
    if (since === undefined) throw invalid("INVALID_SINCE", "since: say from when on", "/since");
    const counts = await Promise.all(parts.relays.map((relay) => relay.replay({ key, since })));
    return { events: counts.reduce((sum, count) => sum + count, 0) };
  };
