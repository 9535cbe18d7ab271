import { createHash } from "node:crypto";
import { encodeEvent } from "@registry/contracts/events";
import { isAway } from "@registry/domain";
import { type Clock, systemClock } from "@registry/kit/clock";
import { scrub } from "@registry/kit/scrub";
import type { Delivery, Event } from "./port.ts";
import { maxBodyBytes, maxDepth, parkedSubject, settledSubject } from "./rules.ts";

const maxCause = 1000;
const maxCauses = 4;
/** Bytes that are shown of what is no event. */
const maxBeginning = 64 * 1024;
const maxSubject = 256;
const noEvent = `The message is no event of the registry: it lacks the headers of a CloudEvent, or its body is no JSON of at most ${maxBodyBytes} bytes and ${maxDepth} levels`;

export interface ParkingOptions {
  readonly clock?: Clock;
  /** Values that must not appear in causes of failures. */
  readonly secrets?: readonly string[];
}

/** A message of the bus that is no event. */
export interface Unreadable {
  /** The same for each delivery of it. */
  readonly id: string;
  readonly subject: string;
  readonly time: Date;
  readonly body: Uint8Array;
}

/** Where every group's dead letters go: the bus itself carries them, to whoever stores them. */
export class Parking {
  readonly #publish: (event: Event) => Promise<void>;
  readonly #clock: Clock;
  readonly #secrets: readonly string[];

  constructor(publish: (event: Event) => Promise<void>, { clock = systemClock, secrets = [] }: ParkingOptions) {
    this.#publish = publish;
    this.#clock = clock;
    this.#secrets = secrets;
  }

  /** The same dead letter again is the same event again. @param attempts used up in this round of deliveries */
  async park(group: string, { event }: Delivery, attempts: number, cause: unknown): Promise<void> {
    const { id, subject, source, about, time, data, traceparent = "", again } = event;
    const usedUp = (again?.attempts ?? 0) + attempts;
    const text = Buffer.from(JSON.stringify(data));
    const whole = { id, subject, source, about, time, data: text, traceparent, unreadable: false };
    const told = { group, event: whole, attempts: usedUp, cause: this.#textOf(cause), away: isAway(cause) };
    await this.#tell(parkedSubject, event, [group, id, `${usedUp}`], encodeEvent(parkedSubject, told));
  }

  /** What a group was handed that is no event can be looked at and dropped. */
  async parkUnreadable(group: string, { id, subject, time, body }: Unreadable): Promise<void> {
    const beginning = Buffer.from(body.subarray(0, maxBeginning)).toString("utf8");
    const shown = {
      id,
      subject: scrub(subject).slice(0, maxSubject),
      time,
      data: Buffer.from(JSON.stringify(beginning)),
    };
    const event = { ...shown, source: "", about: "", traceparent: "", unreadable: true };
    const told = { group, event, attempts: 1, cause: noEvent, away: false };
    await this.#tell(parkedSubject, { about: "" }, [group, id], encodeEvent(parkedSubject, told));
  }

  /** A group has handled an event that it had given up before; of others there is nothing to tell. */
  async settle(group: string, { event }: Delivery): Promise<void> {
    const { id, again } = event;
    if (again?.group !== group) return;
    const { attempts = 0 } = again;
    const told = { group, eventId: id, attempts };
    await this.#tell(settledSubject, event, [group, id, again.key], encodeEvent(settledSubject, told));
  }

  async #tell(
    subject: string,
    { about, traceparent }: Pick<Event, "about" | "traceparent">,
    key: readonly string[],
    data: unknown,
  ): Promise<void> {
    await this.#publish({
      id: createHash("sha256")
        .update(JSON.stringify([subject, ...key]))
        .digest("hex")
        .slice(0, 40),
      subject,
      source: "/bus",
      time: this.#clock.now(),
      about,
      data,
      ...(traceparent === undefined ? {} : { traceparent }),
    });
  }

  #textOf(cause: unknown): string {
    const texts: string[] = [];
    for (let error = cause; error !== undefined && texts.length < maxCauses; ) {
      texts.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
      error = error instanceof Error ? error.cause : undefined;
    }
    // Scrubbed before it is cut, since half a secret is not known for one.
    return scrub(texts.join("; caused by ").slice(0, maxCause * 100), this.#secrets)
      .slice(0, maxCause)
      .toWellFormed();
  }
}
