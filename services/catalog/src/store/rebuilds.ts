import { type Collection, type Document, type Documents, DuplicateKeyError } from "@registry/documents";

const search = "search";

interface Wish extends Document {
  readonly number: number;
}

/** What a replica says of itself. */
export interface ReplicaState {
  /** New with every process. */
  readonly _id: string;
  /** The last rebuild that it has done. */
  readonly number: number;
  readonly mended: number;
  readonly plugins: number;
  readonly seenAt: Date;
  readonly failure: string;
}

/** Which rebuild of the search was asked for last, and how far each replica is: in the store, so that nobody misses it. */
export class Rebuilds {
  readonly #wishes: Collection<Wish>;
  readonly #replicas: Collection<ReplicaState>;

  private constructor(wishes: Collection<Wish>, replicas: Collection<ReplicaState>) {
    this.#wishes = wishes;
    this.#replicas = replicas;
  }

  static async open(documents: Documents): Promise<Rebuilds> {
    const indexes = [{ name: "seen_at", keys: [["seenAt", 1]] as const }];
    return new Rebuilds(
      await documents.collection<Wish>({ name: "rebuilds", indexes: [] }),
      await documents.collection<ReplicaState>({ name: "replicas", indexes }),
    );
  }

  /** 0 where none was asked for. */
  async latest(): Promise<number> {
    return (await this.#wishes.findOne({ _id: search }))?.number ?? 0;
  }

  /** @returns the number of this one */
  async ask(): Promise<number> {
    const next = () =>
      this.#wishes.findOneAndUpdate(
        { _id: search },
        { $inc: { number: 1 } },
        { upsert: true, returnDocument: "after" },
      );
    const wish = await next().catch((error: unknown) => {
      // Two that are the first at once may meet; the second time it is there.
      if (error instanceof DuplicateKeyError) return next();
      throw error;
    });
    return wish?.number ?? 1;
  }

  async tell({ _id, ...state }: ReplicaState): Promise<void> {
    await this.#replicas.updateOne({ _id }, { $set: state }, { upsert: true });
  }

  async leave(_id: string): Promise<void> {
    await this.#replicas.deleteOne({ _id });
  }

  seenSince(time: Date): Promise<ReplicaState[]> {
    return this.#replicas.find({ seenAt: { $gte: time } }, { sort: [["seenAt", 1]], limit: 1000 });
  }

  /** Lets go of those that left without a word. */
  async forgetBefore(time: Date): Promise<void> {
    await this.#replicas.deleteMany({ seenAt: { $lt: time } });
  }
}
