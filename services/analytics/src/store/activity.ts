import { type Collection, type Documents, DuplicateKeyError } from "@registry/documents";

interface Activity {
  /** User id. */
  readonly _id: number;
  readonly lastAt: Date;
}

/** When each user last downloaded or published. */
export class Activities {
  readonly #activities: Collection<Activity>;

  private constructor(activities: Collection<Activity>) {
    this.#activities = activities;
  }

  static async open(documents: Documents): Promise<Activities> {
    const indexes = [{ name: "last_at", keys: [["lastAt", 1]] as const }];
    return new Activities(await documents.collection<Activity>({ name: "activities", indexes }));
  }

  async note(userId: number, lastAt: Date): Promise<void> {
    const update = { $max: { lastAt } };
    try {
      await this.#activities.updateOne({ _id: userId }, update, { upsert: true });
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
      await this.#activities.updateOne({ _id: userId }, update);
    }
  }

  countSince(time: Date): Promise<number> {
    return this.#activities.countDocuments({ lastAt: { $gte: time } });
  }
}
