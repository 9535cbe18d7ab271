import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { withDeadline } from "../deadline.ts";
import type { BusLog, Event } from "../port.ts";
import { isFor } from "../rules.ts";
import { decodeMessage } from "./headers.ts";
import type { Link } from "./link.ts";

/** A plain subscription, outside the stream: it sees an event when it is published, and never again. */
export class Tap {
  readonly #link: Link;
  readonly #subjects: readonly string[];
  readonly #handle: (event: Event) => void;
  readonly #context: { readonly log: BusLog; readonly timeoutMs: number };
  readonly #listen = (connection: NatsConnection): void => this.#open(connection);
  #connection: NatsConnection | undefined;
  #end = (): void => undefined;

  constructor(
    link: Link,
    subjects: readonly string[],
    handle: (event: Event) => void,
    context: { readonly log: BusLog; readonly timeoutMs: number },
  ) {
    this.#link = link;
    this.#subjects = [...subjects];
    this.#handle = handle;
    this.#context = context;
  }

  /** Resolves when the server knows of it, or at the call's deadline where the server is away: then it begins later. */
  async begin(): Promise<void> {
    this.#link.on("up", this.#listen);
    const late = (): Error => new Error("The server did not confirm the subscription in time");
    try {
      const connection = await this.#link.connection();
      this.#open(connection);
      await withDeadline(this.#context.timeoutMs, late, () => connection.flush());
    } catch (error) {
      this.#context.log.warn({ subjects: this.#subjects, err: error }, "tap begins when the event bus is back");
    }
  }

  close(): void {
    this.#link.off("up", this.#listen);
    this.#end();
  }

  #open(connection: NatsConnection): void {
    // The client subscribes again by itself when the same connection comes back.
    if (this.#connection === connection) return;
    this.#end();
    this.#connection = connection;
    const subscriptions = this.#subjects.map((subject) =>
      connection.subscribe(subject, { callback: (error, message) => this.#tell(error, message) }),
    );
    this.#end = () => {
      for (const subscription of subscriptions) subscription.unsubscribe();
    };
  }

  #tell(error: Error | null, message: Msg): void {
    const event = error === null ? decodeMessage(message) : undefined;
    if (event !== undefined && !isFor(undefined, event)) return;
    if (event === undefined) {
      this.#context.log.warn({ subjects: this.#subjects, err: error ?? undefined }, "tap got no event");
      return;
    }
    try {
      this.#handle(event);
    } catch (thrown) {
      this.#context.log.warn({ eventId: event.id, subject: event.subject, err: thrown }, "tap failed");
    }
  }
}
