import { MalformedEvent } from "@registry/contracts/events";
import { withDeadline } from "./deadline.ts";
import type { Parking } from "./parking.ts";
import type { BusLog, Delivery, Redelivery } from "./port.ts";
import { type CheckedSubscription, pauseAfter } from "./rules.ts";

/** What the bus is to do with an event after one delivery: forget it, or bring it again after a pause. */
export type Outcome = "handled" | "dead" | { readonly againAfterMs: number; readonly cause: unknown };

export interface DeliveryContext {
  readonly redelivery: Redelivery;
  readonly log: BusLog;
  readonly parking: Parking;
}

/**
 * Runs one delivery by the rules that both adapters share. Never rejects.
 * @param cause why the delivery before this one failed, where that is known
 */
export async function deliver(
  subscription: CheckedSubscription,
  handle: (delivery: Delivery) => Promise<void>,
  delivery: Delivery,
  context: DeliveryContext & { readonly cause?: unknown },
): Promise<Outcome> {
  const { group, ackWaitMs, maxDeliver } = subscription;
  const { event, attempt } = delivery;
  const told = { group, eventId: event.id, subject: event.subject, attempt };
  let cause: unknown = context.cause ?? new Error("No process that handled the event lived to answer");
  if (attempt <= maxDeliver) {
    try {
      await withDeadline(
        ackWaitMs,
        () => new Error(`The handler took longer than ${ackWaitMs} ms`),
        async () => handle(delivery),
      );
      await recorded(subscription, () => context.parking.settle(group, delivery));
      return "handled";
    } catch (error) {
      cause = error;
    }
  }
  if (attempt < maxDeliver && !(cause instanceof MalformedEvent)) {
    context.log.warn({ ...told, err: cause }, "event not handled, comes again");
    return { againAfterMs: pauseAfter(attempt, context.redelivery), cause };
  }
  try {
    const park = (): Promise<void> => context.parking.park(group, delivery, Math.min(attempt, maxDeliver), cause);
    await recorded(subscription, () => subscription.onDeadLetter?.(delivery, cause) ?? park());
    context.log.error({ ...told, err: cause }, "event given up");
    return "dead";
  } catch (error) {
    context.log.error({ ...told, err: error }, "dead letter not recorded, comes again");
    return { againAfterMs: pauseAfter(attempt, context.redelivery), cause };
  }
}

/** @throws Error where it takes longer than a handler may */
export async function recorded({ ackWaitMs }: CheckedSubscription, record: () => Promise<void>): Promise<void> {
  await withDeadline(
    ackWaitMs,
    () => new Error("Recording the dead letter took too long"),
    async () => record(),
  );
}
