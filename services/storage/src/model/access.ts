import type { Caller, Digest } from "@registry/domain";
import { type Clock, type Keys, ticketHolds } from "@registry/kit";
import { invalidTicket } from "./errors.ts";

/** Lets the gateway read, which asked the catalog itself, and whoever holds the catalog's ticket for these bytes. */
export class ReadAccess {
  readonly #keys: Keys;
  readonly #clock: Clock;

  constructor(keys: Keys, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  /** @throws kind `permission_denied`, reason `INVALID_TICKET` */
  check(caller: Caller, digest: Digest, ticket: string): void {
    if (caller.type === "service" && caller.name === "gateway") return;
    if (!ticketHolds(this.#keys, "blob", digest, ticket, this.#clock.now())) throw invalidTicket();
  }
}
