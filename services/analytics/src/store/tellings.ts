import type { Collection, Documents } from "@registry/documents";

interface Telling {
  readonly _id: string;
  /** Of the bus. */
  readonly generation: string;
}

const totals = "totals";

/** Which generation of the bus has been told all totals. */
export class Tellings {
  readonly #tellings: Collection<Telling>;

  private constructor(tellings: Collection<Telling>) {
    this.#tellings = tellings;
  }

  static async open(documents: Documents): Promise<Tellings> {
    return new Tellings(await documents.collection<Telling>({ name: "tellings", indexes: [] }));
  }

  async generation(): Promise<string | undefined> {
    return (await this.#tellings.findOne({ _id: totals }))?.generation;
  }

  /** To be done once all totals are marked as to be told. */
  async note(generation: string): Promise<void> {
    await this.#tellings.updateOne({ _id: totals }, { $set: { generation } }, { upsert: true });
  }
}
