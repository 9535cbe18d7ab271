import { createHash } from "node:crypto";
import { anonymous, type Caller, isRegistryError, RegistryError, unauthenticated, unavailable } from "@registry/domain";
import type { Clock } from "../clock.ts";
import type { CacheFigures } from "../metrics/caches.ts";
import { type EpochTold, RevocationEpoch } from "./epoch.ts";
import type { Keys } from "./keys.ts";
import {
  callerOf,
  type InternalClaims,
  internalTokenSeconds,
  looksInternal,
  signInternalToken,
  verifyInternalToken,
} from "./token.ts";

/** How this process asks auth; set once the clients exist. */
export interface AuthPort {
  /**
   * @param address where the caller is, as far as this process can tell
   * @throws kind `unauthenticated` where the credential does not hold, or not from there
   */
  exchange(credential: string, address: string | undefined): Promise<string>;
  epoch(): Promise<EpochTold>;
}

export interface Resolved {
  readonly caller: Caller;
  /** `Bearer <internal token>`, undefined for anonymous callers. */
  readonly authorization: string | undefined;
}

interface Known {
  readonly resolved: Resolved;
  readonly epoch: number | undefined;
  readonly expiresAt: number;
}

/** Most likely it was somebody else's right that was withdrawn: it is for the caller's next call to find out. */
const rightsChanged = (): RegistryError =>
  new RegistryError("unavailable", "RIGHTS_CHANGED", "Rights changed while this was under way; try again", {
    retryAfterSeconds: 1,
  });

const maxKnown = 5000;
/** Longest credential that callers hold; internal tokens carry memberships and are longer. */
const maxCredential = 4096;

function credentialIn(authorization: string): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,12288})$/i.exec(authorization)?.[1];
}

/**
 * Who is calling. Internal tokens are verified here; what callers hold (signed tokens, API tokens) is exchanged at auth,
 * and the answer kept for as long as it lives and no right was withdrawn.
 */
export class Identity {
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #auth: () => AuthPort;
  readonly #known = new Map<string, Known>();
  #hits = 0;
  #misses = 0;
  readonly epoch: RevocationEpoch;
  readonly #own = new Map<string, { readonly token: string; readonly renewAt: number }>();

  constructor(keys: Keys, clock: Clock, auth: () => AuthPort) {
    this.#keys = keys;
    this.#clock = clock;
    this.#auth = auth;
    this.epoch = new RevocationEpoch(clock, () => auth().epoch());
  }

  /**
   * @param authorization value of the header: `Bearer …`, or undefined
   * @param address where the caller is: some credentials hold only there
   * @throws kind `unauthenticated`, reason `INVALID_CREDENTIAL`, where there is one that does not hold; kind `unavailable`
   * where that cannot be decided, reason `RIGHTS_CHANGED` where what was passed on was decided too long before a withdrawal
   */
  async resolve(authorization: string | undefined, address?: string): Promise<Resolved> {
    if (authorization === undefined || authorization === "") return { caller: anonymous, authorization: undefined };
    const credential = credentialIn(authorization);
    if (credential === undefined) throw unauthenticated();
    const isInternal = looksInternal(credential);
    if (!isInternal && credential.length > maxCredential) throw unauthenticated();
    const from = isInternal ? "" : (address ?? "");
    const key = createHash("sha256").update(`${from}\n${credential}`).digest("base64");
    const known = this.#known.get(key);
    if (known !== undefined && known.expiresAt > this.#now() && (await this.#stillHolds(known, isInternal))) {
      this.#hits += 1;
      return known.resolved;
    }
    this.#misses += 1;
    this.#known.delete(key);
    const token = isInternal ? credential : await this.#exchange(credential, address);
    const claims = verifyInternalToken(this.#keys, token, this.#clock.now());
    const caller = claims === undefined ? undefined : callerOf(claims);
    if (claims === undefined || caller === undefined) throw unauthenticated();
    if (claims.epoch !== undefined && !(await this.epoch.holds(claims.epoch))) throw rightsChanged();
    return this.#remember(key, { caller, authorization: `Bearer ${token}` }, claims, isInternal);
  }

  /**
   * As `resolve`, where nobody but callers from outside comes in: what services pass on among themselves is no credential
   * of theirs, however they came by it.
   */
  async resolveOutsider(authorization: string | undefined, address: string): Promise<Resolved> {
    if (looksInternal(credentialIn(authorization ?? "") ?? "")) throw unauthenticated();
    return this.resolve(authorization, address);
  }

  /** Of what is remembered of callers. */
  get figures(): CacheFigures {
    return { hits: this.#hits, misses: this.#misses, entries: this.#known.size };
  }

  /** What was exchanged is asked for again with every new epoch; what another process exchanged is borne with for a moment. */
  async #stillHolds(known: Known, isInternal: boolean): Promise<boolean> {
    if (known.epoch === undefined) return true;
    return isInternal ? this.epoch.holds(known.epoch) : known.epoch >= (await this.epoch.current());
  }

  async #exchange(credential: string, address: string | undefined): Promise<string> {
    try {
      return await this.#auth().exchange(credential, address);
    } catch (error) {
      // Nothing was done that took too long: whoever asks may do so again.
      if (isRegistryError(error) && error.kind === "deadline_exceeded") throw unavailable("What knows callers", error);
      throw error;
    }
  }

  #remember(key: string, resolved: Resolved, claims: InternalClaims, isInternal: boolean): Resolved {
    if (this.#known.size >= maxKnown) {
      const oldest = this.#known.keys().next().value;
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    // An exchanged token is passed on to others, who need some of its life as well.
    const margin = isInternal ? 0 : (internalTokenSeconds / 2) * 1000;
    this.#known.set(key, { resolved, epoch: claims.epoch, expiresAt: claims.exp * 1000 - margin });
    return resolved;
  }

  /** The internal token under which a service of this process calls others. */
  serviceToken(service: string): string {
    const own = this.#own.get(service);
    if (own !== undefined && own.renewAt > this.#now()) return own.token;
    const exp = Math.floor(this.#now() / 1000) + internalTokenSeconds;
    const token = signInternalToken(this.#keys, { iss: "agenticraft-registry", exp, svc: service });
    this.#own.set(service, { token, renewAt: this.#now() + (internalTokenSeconds / 2) * 1000 });
    return token;
  }

  /**
   * The service that a call comes from, told by its own token beside the caller's.
   * @throws kind `unauthenticated`, reason `INVALID_CREDENTIAL`, where there is a token that is no service's
   */
  async serviceOf(serviceToken: string | undefined): Promise<string | undefined> {
    if (serviceToken === undefined) return undefined;
    if (!looksInternal(serviceToken)) throw unauthenticated();
    const { caller } = await this.resolve(`Bearer ${serviceToken}`);
    if (caller.type !== "service") throw unauthenticated();
    return caller.name;
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}
