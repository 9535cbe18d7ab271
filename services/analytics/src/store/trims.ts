import type { Collection, Documents } from "@registry/documents";

export type Trimmed = "events" | "slices";

interface Trim {
  readonly _id: Trimmed;
  readonly before: Date;
}

/**
 * Before when single events and the counts of five minutes were let go of. How long they are kept may have been set
 * otherwise then, so nobody can tell by that setting what there has ever been.
 */
export class Trims {
  readonly #trims: Collection<Trim>;

  private constructor(trims: Collection<Trim>) {
    this.#trims = trims;
  }

  static async open(documents: Documents): Promise<Trims> {
    return new Trims(await documents.collection<Trim>({ name: "trims", indexes: [] }));
  }

  /** To be done before they go. */
  async note(what: Trimmed, before: Date): Promise<void> {
    await this.#trims.updateOne({ _id: what }, { $max: { before } }, { upsert: true });
  }

  /** @returns the beginning of time where nothing was let go of */
  async before(what: Trimmed): Promise<Date> {
    return (await this.#trims.findOne({ _id: what }))?.before ?? new Date(0);
  }
}
