import {
  type Bus,
  type Delivery,
  eventOf,
  isCarried,
  isGroupName,
  type OutboxEvent,
  parkedSubject,
  pendingEvent,
  type Subscription,
  settledSubject,
} from "@registry/bus";
import { decodeEvent, MalformedEvent } from "@registry/contracts/events";
import type { Clock, Logger } from "@registry/kit";
import type { DeadLetters } from "../store/dead-letters.ts";
import { retryAfter } from "./retrier.ts";

const ownGroup = "dead-letters";

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
  return bus.subscribe({ group: ownGroup, subjects, onDeadLetter: store }, store);
}

async function storeOne(deps: Deps, delivery: Delivery): Promise<void> {
  try {
    await storeTold(deps, delivery);
  } catch (error) {
    if (!(error instanceof MalformedEvent)) throw error;
    await storeMalformed(deps, delivery, error);
  }
}

async function storeTold({ deadLetters, clock }: Deps, { event }: Delivery): Promise<void> {
  const now = clock.now();
  if (event.subject === settledSubject) {
    const { group, eventId, attempts } = decodeEvent(settledSubject, event.data);
    return await deadLetters.settle(group, eventId, attempts, now);
  }
  const { group, event: unhandled, attempts, cause, away } = decodeEvent(parkedSubject, event.data);
  if (unhandled?.time === undefined) throw new MalformedEvent("a dead letter without its event");
  if (!isGroupName(group) || !Number.isSafeInteger(attempts) || attempts < 1) {
    throw new MalformedEvent("a dead letter of no group, or without an attempt");
  }
  const { traceparent, time, unreadable, ...rest } = unhandled;
  const trace = traceparent === "" ? {} : { traceparent };
  const data = Buffer.from(rest.data).toString("utf8");
  const whole = { ...rest, ...trace, time, data };
  if (!isKnown(whole, unreadable)) throw new MalformedEvent("a dead letter of what could not have been one");
  const retryAt = away ? retryAfter(attempts, now) : undefined;
  const parked = { group, event: whole, unreadable, attempts, cause, at: event.time };
  await deadLetters.park({ ...parked, ...(retryAt === undefined ? {} : { retryAt }) }, now);
}

/** Nothing that this registry has written. Trying again would not make it so; it is shown as what it is. */
async function storeMalformed({ deadLetters, clock, log }: Deps, { event }: Delivery, err: Error): Promise<void> {
  log.error({ eventId: event.id, subject: event.subject, err }, "what is told of a dead letter cannot be read");
  const shown = { group: ownGroup, event: pendingEvent(event), unreadable: true, attempts: 1, cause: err.message };
  await deadLetters.park({ ...shown, at: event.time }, clock.now());
}

/** Whether it can be shown, and sent again where it is an event. */
function isKnown(event: OutboxEvent, unreadable: boolean): boolean {
  try {
    const whole = eventOf(event);
    return unreadable ? typeof whole.data === "string" : isCarried(whole, event.data.length);
  } catch {
    return false;
  }
}
