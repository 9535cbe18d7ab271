import type { Collection, Documents } from "@registry/documents";

interface Revoked {
  /** `key` of the signed token. */
  readonly _id: string;
  readonly expiresAt: Date;
}

/** Signed tokens that were withdrawn before their time. */
export class RevokedTokens {
  readonly #revoked: Collection<Revoked>;

  private constructor(revoked: Collection<Revoked>) {
    this.#revoked = revoked;
  }

  static async open(documents: Documents): Promise<RevokedTokens> {
    const indexes = [{ name: "expires_at", keys: [["expiresAt", 1]] as const }];
    return new RevokedTokens(await documents.collection<Revoked>({ name: "revoked", indexes }));
  }

  async add(key: string, expiresAt: Date): Promise<void> {
    await this.#revoked.insertNew([{ _id: key, expiresAt }]);
  }

  async has(key: string): Promise<boolean> {
    return (await this.#revoked.findOne({ _id: key })) !== null;
  }

  /** Forgets those that ended by themselves. A day's grace, as clocks of replicas differ. */
  async sweep(now: Date): Promise<void> {
    await this.#revoked.deleteMany({ expiresAt: { $lt: new Date(now.getTime() - 86_400_000) } });
  }
}
