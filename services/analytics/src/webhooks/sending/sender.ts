import { isIP } from "node:net";
import { anySignal, untilAborted } from "@registry/kit";
import type { AllowedAddresses } from "../model/addresses.ts";
import { hostOf } from "../model/url.ts";
import { DeliveryFailure, type FailureWord } from "./failure.ts";
import { type Answer, type Post, post } from "./post.ts";
import type { Resolve } from "./resolve.ts";

/**
 * Of the machine itself, as RFC 6761 has it: it has an address of each family, of which the allowed networks usually name
 * one, and no stranger says which.
 */
const ownName = /^(?:.+\.)?localhost$/;

export interface SenderOptions {
  readonly allowed: AllowedAddresses;
  readonly resolve: Resolve;
  /** From the first look at the name to the end of the answer. */
  readonly timeoutMs: number;
  readonly ca?: string | undefined;
}

/** Sends requests to where strangers want them, and to no place where none of theirs may go. */
export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /**
   * @param ending gives up what is under way
   * @returns what came back, or why nothing did
   * @throws the reason of `ending`
   */
  async send(request: Post, ending: AbortSignal): Promise<Answer | FailureWord> {
    const { timeoutMs, ca } = this.#options;
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = anySignal(ending, deadline);
    try {
      const addresses = await this.#addressesOf(request.url, signal);
      return await post(request, { addresses, signal, timeoutMs, ca });
    } catch (error) {
      if (error instanceof DeliveryFailure) return error.word;
      ending.throwIfAborted();
      return deadline.aborted ? "timed out" : "connection failed";
    }
  }

  /** Each time anew, since what a name resolves to changes; one address that is not allowed spoils the name. */
  async #addressesOf(url: URL, signal: AbortSignal): Promise<readonly string[]> {
    const { allowed, resolve } = this.#options;
    const host = hostOf(url);
    const addresses = isIP(host) === 0 ? await untilAborted(resolve(host, signal), signal) : [host];
    if (addresses.length === 0) throw new DeliveryFailure("name not found");
    const plain = url.protocol !== "https:";
    const mayBeCalled = addresses.filter((address) => allowed.has(address, plain));
    const enough = ownName.test(host) ? 1 : addresses.length;
    if (mayBeCalled.length >= enough) return mayBeCalled;
    throw new DeliveryFailure("address not allowed");
  }
}
