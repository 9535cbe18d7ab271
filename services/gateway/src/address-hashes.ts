import { createHmac } from "node:crypto";
import type { Clock, Keys } from "@registry/kit";
import { networkOf } from "@registry/limits";

/** Of 256 bits: enough that no two addresses of a day meet. */
const characters = 22;
const mostKnown = 5000;

/**
 * Stands for a caller's address in what is counted: an HMAC under a key that is derived from the registry's secret and the
 * UTC day, so that nobody without the secret finds the address, and nobody at all tells by it what one caller did on two
 * days. All gateways of a registry make the same of it. Of an IPv6 address the /64 is taken, as limits do.
 */
export class AddressHashes {
  readonly #keys: Keys;
  readonly #clock: Clock;
  #day = "";
  #key = "";
  /** Of this day; bounded. */
  readonly #known = new Map<string, string>();

  constructor(keys: Keys, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  /** @returns 22 characters of base64url; empty where the address is not known */
  of(address: string | undefined): string {
    if (address === undefined) return "";
    const day = this.#clock.now().toISOString().slice(0, 10);
    if (day !== this.#day) {
      this.#day = day;
      this.#key = this.#keys.mac("usage-address-day", day);
      this.#known.clear();
    }
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const network = networkOf(address);
    const hash =
      network === "unknown"
        ? ""
        : createHmac("sha256", this.#key).update(network).digest("base64url").slice(0, characters);
    if (this.#known.size >= mostKnown) this.#known.clear();
    this.#known.set(address, hash);
    return hash;
  }
}
