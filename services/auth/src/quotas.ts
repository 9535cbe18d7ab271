import { rateLimited } from "@registry/domain";
import type { Metrics } from "@registry/kit";
import { type Limits, networkOf, type Rate } from "@registry/limits";
import { Counter } from "prom-client";
import type { AuthConfig } from "./parts.ts";

const minute = 60;
const hour = 3600;

/** How often anybody may try what is worth trying often. */
export class Quotas {
  readonly #limits: Limits;
  readonly #failures: Counter<"reason">;
  readonly #tokens: Rate;
  readonly #perAddress: { readonly [what in "login" | "registration" | "report" | "failure"]: Rate };

  constructor(limits: Limits, config: AuthConfig, metrics: Metrics) {
    this.#limits = limits;
    this.#failures = new Counter({
      name: "registry_auth_failures_total",
      help: "Credentials, passwords and codes of second factors that did not hold",
      labelNames: ["reason"],
      registers: [metrics.registry],
    });
    this.#tokens = { limit: config.RATE_LIMIT_TOKENS, windowSeconds: hour };
    this.#perAddress = {
      login: { limit: config.RATE_LIMIT_LOGINS, windowSeconds: minute },
      registration: { limit: config.RATE_LIMIT_REGISTRATIONS, windowSeconds: hour },
      report: { limit: config.RATE_LIMIT_REPORTS, windowSeconds: hour },
      failure: { limit: config.RATE_LIMIT_FAILED_CREDENTIALS, windowSeconds: minute },
    };
  }

  /** @throws kind `rate_limited` */
  async demand(what: "login" | "registration" | "report", address: string | undefined): Promise<void> {
    await this.#limits.demand(what, networkOf(address), this.#perAddress[what]);
  }

  /**
   * Counts what did not hold. What holds is not counted, so it goes on working behind an address that is over.
   * @throws kind `rate_limited`, where there were too many, to be told instead of the failure
   */
  async failed(what: "credential" | "password" | "code", address: string | undefined): Promise<void> {
    this.#failures.inc({ reason: what });
    const limit = what === "credential" ? "failed_credential" : "failed_password";
    const seconds = await this.#limits.take(limit, networkOf(address), this.#perAddress.failure);
    if (seconds > 0) throw rateLimited(seconds);
  }

  /** @throws kind `rate_limited`, where the user made too many of late; what `make` fails with, which counts for nothing */
  async forToken<T>(userId: number, now: Date, make: () => Promise<T>): Promise<T> {
    await this.#limits.demand("token", String(userId), this.#tokens, now);
    try {
      return await make();
    } catch (error) {
      await this.#limits.giveBack("token", String(userId), this.#tokens, now);
      throw error;
    }
  }

  async sweep(now: Date): Promise<void> {
    await this.#limits.sweep(now);
  }
}
