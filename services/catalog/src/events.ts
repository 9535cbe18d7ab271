import type { Event } from "@registry/bus";
import { type EventMessage, encodeEvent, type Subject } from "@registry/contracts/events";

import { activeTraceparent } from "@registry/kit";

/** How events of this service are made; the relay sends them once the write that holds them is through. */
export interface EventMaker {
  make<S extends Subject>(subject: S, about: string, message: EventMessage<S>): Event;
}

/** What publishes and consumes it goes on with the trace in which it was made. */
function tracedBy(traceparent: string | undefined): Pick<Event, "traceparent"> {
  return traceparent === undefined ? {} : { traceparent };
}

export function createEventMaker(now: () => Date, newId: () => string): EventMaker {
  return {
    make: (subject, about, message) => ({
      id: newId(),
      subject,
      source: "/services/catalog",
      time: now(),
      about,
      data: encodeEvent(subject, message),
      ...tracedBy(activeTraceparent()),
    }),
  };
}
