import type { Head } from "@registry/audit";
import type { Collection, Documents } from "@registry/documents";

type HeadDocument = Omit<Head, "sequence"> & { readonly _id: number };

const mostKept = 10_000;

/** Signed heads in the store, for whoever asks; those that count against its holder lie elsewhere. */
export class SignedHeads {
  readonly #documents: Collection<HeadDocument>;

  private constructor(documents: Collection<HeadDocument>) {
    this.#documents = documents;
  }

  static async open(documents: Documents): Promise<SignedHeads> {
    return new SignedHeads(await documents.collection<HeadDocument>({ name: "audit_heads", indexes: [] }));
  }

  /** One for each sequence; the oldest go. */
  async add({ sequence, ...rest }: Head): Promise<void> {
    await this.#documents.insertNew([{ _id: sequence, ...rest }]);
    const [surplus] = await this.#documents.find(
      { _id: { $gt: 0 } },
      { sort: [["_id", -1]], skip: mostKept, limit: 1, fields: [] },
    );
    if (surplus !== undefined) await this.#documents.deleteMany({ _id: { $lte: surplus._id } });
  }

  /** Newest first. */
  async newest(limit: number): Promise<Head[]> {
    const found = await this.#documents.find({ _id: { $gt: 0 } }, { sort: [["_id", -1]], limit });
    // Somebody may have written anything there; it will not verify.
    return found.map(({ _id, hash, time, signature }) => {
      return { sequence: _id, hash: String(hash), time: new Date(time), signature: String(signature) };
    });
  }
}
