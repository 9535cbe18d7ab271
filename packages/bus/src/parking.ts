import { createHash } from "node:crypto";
import { encodeEvent } from "@registry/contracts/events";
import { isRegistryError } from "@registry/domain";
import { type Clock, systemClock } from "@registry/kit/clock";
import { scrub } from "@registry/kit/scrub";
import type { Delivery, Event } from "./port.ts";
import { parkedSubject, settledSubject } from "./rules.ts";

const maxCause = 1000;
const maxCauses = 4;

/** A store or a service did not answer, or not in time. */
function isAway(cause: unknown): boolean {
  return isRegistryError(cause) && (cause.kind === "unavailable" || cause.kind === "deadline_exceeded");
}

export interface ParkingOptions {
  readonly clock?: Clock;
  /** Values that must not appear in causes of failures. */
  readonly secrets?: readonly string[];
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
    const whole = { id, subject, source, about, time, data: Buffer.from(JSON.stringify(data)), traceparent };
    const told = { group, event: whole, attempts: usedUp, cause: this.#textOf(cause), away: isAway(cause) };
    await this.#tell(parkedSubject, event, [group, id, `${usedUp}`], encodeEvent(parkedSubject, told));
  }

  /** A group has handled an event that it had given up before; of others there is nothing to tell. */
  async settle(group: string, { event }: Delivery): Promise<void> {
    const { id, again } = event;
    if (again?.group !== group) return;
    const { attempts = 0 } = again;
    const told = { group, eventId: id, attempts };
    await this.#tell(settledSubject, event, [group, id, again.key], encodeEvent(settledSubject, told));
  }

  async #tell(subject: string, { about, traceparent }: Event, key: readonly string[], data: unknown): Promise<void> {
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
