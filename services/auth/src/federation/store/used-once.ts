import { createHash } from "node:crypto";
import { type Collection, type Documents, DuplicateKeyError } from "@registry/documents";

interface Used {
  /** What it is, and a hash of it. */
  readonly _id: string;
  readonly until: Date;
}

/** Clocks of replicas and issuers differ, so what was used is remembered a while beyond the time in which it holds. */
const marginMs = 10 * 60_000;

/** What holds one single time, however many replicas are shown it at once. */
export class UsedOnce {
  readonly #used: Collection<Used>;

  private constructor(used: Collection<Used>) {
    this.#used = used;
  }

  static async open(documents: Documents): Promise<UsedOnce> {
    const indexes = [{ name: "until", keys: [["until", 1]] as const }];
    return new UsedOnce(await documents.collection<Used>({ name: "used_once", indexes }));
  }

  /**
   * One atomic insert decides.
   * @param holdsUntil after which nobody would take it anyway
   * @returns false where it was used before
   */
  async use(kind: "state" | "jti", text: string, holdsUntil: Date): Promise<boolean> {
    const hash = createHash("sha256").update(text).digest("hex");
    try {
      await this.#used.insertOne({ _id: `${kind}:${hash}`, until: new Date(holdsUntil.getTime() + marginMs) });
      return true;
    } catch (error) {
      if (error instanceof DuplicateKeyError) return false;
      throw error;
    }
  }

  async sweep(now: Date): Promise<void> {
    await this.#used.deleteMany({ until: { $lt: now } });
  }
}
