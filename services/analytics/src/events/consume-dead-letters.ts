import { type Bus, type Delivery, parkedSubject, type Subscription, settledSubject } from "@registry/bus";
import { decodeEvent } from "@registry/contracts/events";
import type { Clock, Logger } from "@registry/kit";
import type { DeadLetters } from "../store/dead-letters.ts";
import { retryAfter } from "./retrier.ts";

interface Deps {
  readonly deadLetters: DeadLetters;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Stores what every group gives up. What cannot be stored now is tried for ever and never parked itself, so that no dead
 * letter is lost and none leads to another.
 */
export function consumeDeadLetters(bus: Bus, deps: Deps): Promise<Subscription> {
  const store = (delivery: Delivery): Promise<void> => storeOne(deps, delivery);
  const subjects = [parkedSubject, settledSubject];
  return bus.subscribe({ group: "dead-letters", subjects, onDeadLetter: store }, store);
}

async function storeOne({ deadLetters, clock, log }: Deps, { event }: Delivery): Promise<void> {
  const now = clock.now();
  if (event.subject === settledSubject) {
    const { group, eventId, attempts } = decodeEvent(settledSubject, event.data);
    return await deadLetters.settle(group, eventId, attempts, now);
  }
  const { group, event: unhandled, attempts, cause, away } = decodeEvent(parkedSubject, event.data);
  const data = Buffer.from(unhandled?.data ?? []).toString("utf8");
  if (unhandled?.time === undefined || !isJson(data)) {
    // Nothing that this registry has written; trying again would not make it so.
    return log.error({ eventId: event.id, group }, "dead letter without its event, dropped");
  }
  const { traceparent, time, unreadable, ...rest } = unhandled;
  const trace = traceparent === "" ? {} : { traceparent };
  const whole = { ...rest, ...trace, time, data };
  const retryAt = away ? retryAfter(attempts, now) : undefined;
  const parked = { group, event: whole, unreadable, attempts, cause, at: event.time };
  await deadLetters.park({ ...parked, ...(retryAt === undefined ? {} : { retryAt }) }, now);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
