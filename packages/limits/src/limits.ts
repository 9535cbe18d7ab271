import { createHash } from "node:crypto";
import { type Collection, type Documents, DuplicateKeyError } from "@registry/documents";
import { rateLimited } from "@registry/domain";
import type { Clock } from "@registry/kit";

/** So many in each window. Windows are aligned to the clock: each begins at a whole multiple of its length. */
export interface Rate {
  /** 0: as many as one likes. */
  readonly limit: number;
  readonly windowSeconds: number;
}

interface Window {
  /** SHA-256 of the limit's name, the key, and when the window began: what callers are known by is not kept. */
  readonly _id: string;
  readonly count: number;
  readonly endsAt: Date;
}

const maxRemembered = 10_000;

/**
 * Limits that are exact however many replicas of a service ask: the count of a window is one document of the service's
 * own database, and each grant is one conditional write to it. Replicas whose clocks differ are at times in two windows
 * at once, each of which is exact.
 */
export class Limits {
  readonly #windows: Collection<Window>;
  readonly #clock: Clock;
  readonly #refused: (name: string) => void;
  /** Windows that were full, so that a flood costs the store nothing; the oldest are forgotten first. */
  readonly #full = new Set<string>();

  private constructor(windows: Collection<Window>, clock: Clock, refused: (name: string) => void) {
    this.#windows = windows;
    this.#clock = clock;
    this.#refused = refused;
  }

  /** @param refused told the limit's name each time that it does not grant one */
  static async open(
    documents: Documents,
    clock: Clock,
    refused: (name: string) => void = () => undefined,
  ): Promise<Limits> {
    const indexes = [{ name: "ends_at", keys: [["endsAt", 1]] as const }];
    return new Limits(await documents.collection<Window>({ name: "limits", indexes }), clock, refused);
  }

  /**
   * Takes one.
   * @param name of the limit
   * @param key whose count it is, e.g. a user's id or a network
   * @returns 0 where it was granted, else the seconds until there is one again
   */
  async take(name: string, key: string, rate: Rate, at = this.#clock.now()): Promise<number> {
    if (rate.limit === 0) return 0;
    const { _id, endsAt } = windowAt(name, key, rate, at);
    if (this.#full.has(_id) || !(await this.#grant(_id, endsAt, rate))) {
      this.#remember(_id);
      this.#refused(name);
      return secondsUntil(endsAt, at);
    }
    return 0;
  }

  async #grant(_id: string, endsAt: Date, rate: Rate): Promise<boolean> {
    const open = { _id, count: { $lt: rate.limit } };
    try {
      await this.#windows.updateOne(open, { $inc: { count: 1 }, $setOnInsert: { endsAt } }, { upsert: true });
      return true;
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
    // It is there: full, or begun by somebody else a moment ago.
    return (await this.#windows.updateOne(open, { $inc: { count: 1 } })).matchedCount > 0;
  }

  #remember(_id: string): void {
    const oldest = this.#full.size < maxRemembered ? undefined : this.#full.values().next().value;
    if (oldest !== undefined) this.#full.delete(oldest);
    this.#full.add(_id);
  }

  /** @returns 0 where there is one to take, else the seconds until there is */
  async peek(name: string, key: string, rate: Rate, at = this.#clock.now()): Promise<number> {
    if (rate.limit === 0) return 0;
    const { _id, endsAt } = windowAt(name, key, rate, at);
    const window = await this.#windows.findOne({ _id });
    return window === null || window.count < rate.limit ? 0 : secondsUntil(endsAt, at);
  }

  /** @throws kind `rate_limited`, reason `RATE_LIMITED`, where there is none to take */
  async demand(name: string, key: string, rate: Rate, at = this.#clock.now()): Promise<void> {
    const seconds = await this.take(name, key, rate, at);
    if (seconds > 0) throw rateLimited(seconds);
  }

  /**
   * Gives one back that was not used after all. A replica that found the window full meanwhile does not learn of it.
   * @param at when it was taken
   */
  async giveBack(name: string, key: string, rate: Rate, at: Date): Promise<void> {
    if (rate.limit === 0) return;
    const { _id } = windowAt(name, key, rate, at);
    this.#full.delete(_id);
    await this.#windows.updateOne({ _id, count: { $gt: 0 } }, { $inc: { count: -1 } });
  }

  /** Forgets windows that are over. A minute's grace, as clocks of replicas differ. */
  async sweep(now: Date): Promise<void> {
    await this.#windows.deleteMany({ endsAt: { $lt: new Date(now.getTime() - 60_000) } });
  }
}

function windowAt(name: string, key: string, { windowSeconds }: Rate, at: Date): { _id: string; endsAt: Date } {
  const lengthMs = windowSeconds * 1000;
  const startMs = Math.floor(at.getTime() / lengthMs) * lengthMs;
  const text = JSON.stringify([name, key, windowSeconds, startMs]);
  return { _id: createHash("sha256").update(text).digest("hex"), endsAt: new Date(startMs + lengthMs) };
}

function secondsUntil(end: Date, now: Date): number {
  return Math.max(1, Math.ceil((end.getTime() - now.getTime()) / 1000));
}
