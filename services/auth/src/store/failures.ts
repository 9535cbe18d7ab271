import { createHash } from "node:crypto";
import { type Collection, type Documents, DuplicateKeyError } from "@registry/documents";
import { RegistryError } from "@registry/domain";

interface Failures {
  /** SHA-256 of the name that was tried, so that what people mistype there (passwords, too) is not kept. */
  readonly _id: string;
  readonly count: number;
  readonly until: Date;
}

const windowMs = 15 * 60_000;
export const maxFailures = 10;

/** Counts wrong passwords for each name, known or not, in the store, so that all replicas share the count. */
export class LoginThrottle {
  readonly #failures: Collection<Failures>;

  private constructor(failures: Collection<Failures>) {
    this.#failures = failures;
  }

  static async open(documents: Documents): Promise<LoginThrottle> {
    const indexes = [{ name: "until", keys: [["until", 1]] as const }];
    return new LoginThrottle(await documents.collection<Failures>({ name: "failures", indexes }));
  }

  /**
   * @returns whether there are failures to clear
   * @throws kind `rate_limited`, reason `TOO_MANY_FAILURES`, where the name has failed too often of late
   */
  async check(name: string, now: Date): Promise<boolean> {
    const failures = await this.#failures.findOne({ _id: keyOf(name) });
    if (failures === null) return false;
    if (failures.count < maxFailures || failures.until <= now) return true;
    throw new RegistryError("rate_limited", "TOO_MANY_FAILURES", "Too many failed logins; try again later", {
      retryAfterSeconds: Math.ceil((failures.until.getTime() - now.getTime()) / 1000),
    });
  }

  async count(name: string, now: Date): Promise<void> {
    const _id = keyOf(name);
    const until = new Date(now.getTime() + windowMs);
    if ((await this.#failures.updateOne({ _id, until: { $gt: now } }, { $inc: { count: 1 } })).matchedCount > 0) return;
    const renewed = await this.#failures.updateOne({ _id, until: { $lte: now } }, { $set: { count: 1, until } });
    if (renewed.matchedCount > 0) return;
    try {
      await this.#failures.insertOne({ _id, count: 1, until });
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
      await this.#failures.updateOne({ _id }, { $inc: { count: 1 } });
    }
  }

  async clear(name: string): Promise<void> {
    await this.#failures.deleteOne({ _id: keyOf(name) });
  }

  async sweep(now: Date): Promise<void> {
    await this.#failures.deleteMany({ until: { $lt: now } });
  }
}

function keyOf(name: string): string {
  return createHash("sha256").update(name.toLowerCase()).digest("hex");
}
