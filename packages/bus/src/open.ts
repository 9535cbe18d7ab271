import { createInProcessBus } from "./memory/open.ts";
import type { NatsBusOptions } from "./nats/open.ts";
import type { Bus } from "./port.ts";

export interface BusOptions extends Omit<NatsBusOptions, "url"> {
  /** A NATS server with JetStream; without it the bus is this process alone. */
  readonly natsUrl?: string;
  /** See `InProcessBusOptions`; a NATS server keeps what comes before a group's first subscription. */
  readonly ready?: Promise<unknown>;
}

/** Chooses the adapter. Resolves without waiting for the server, which may come up later. */
export async function openBus({ natsUrl, ready, ...options }: BusOptions): Promise<Bus> {
  if (natsUrl !== undefined) {
    // Loaded only where it is used: the client costs memory and start-up time.
    const { openNatsBus } = await import("./nats/open.ts");
    return await openNatsBus({ ...options, url: natsUrl });
  }
  const { name: _, ...rest } = options;
  return createInProcessBus({ ...rest, ...(ready && { ready }) });
}
