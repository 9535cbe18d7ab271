import type { Bus, Event } from "./port.ts";

/** What is put around events; what comes out must be what `send` and `run` gave or threw. */
export interface BusObserver {
  /** May send the event with another trace context. */
  publish(event: Event, send: (event: Event) => Promise<void>): Promise<void>;
  handle(event: Event, group: string, attempt: number, run: () => Promise<void>): Promise<void>;
  /** Of a tap. */
  hear(event: Event, run: () => void): void;
}

/** The same bus with something around every publication and every handler. */
export function observeBus(bus: Bus, observer: BusObserver): Bus {
  return {
    publish: (event) => observer.publish(event, (sent) => bus.publish(sent)),
    subscribe: (options, handle) =>
      bus.subscribe(options, (delivery) =>
        observer.handle(delivery.event, options.group, delivery.attempt, () => handle(delivery)),
      ),
    tap: (subjects, handle) => bus.tap(subjects, (event) => observer.hear(event, () => handle(event))),
    ping: () => bus.ping(),
    generation: () => bus.generation(),
    lag: () => bus.lag(),
    close: () => bus.close(),
  };
}
