import type { Collection } from "@registry/documents";
import type { ReleaseDocument, ReleaseHead, Waiting } from "../model/release.ts";
import { defined, waitingFields } from "./release-fields.ts";

/** A release with the bytes that it had when it was seen: what a write compares first. */
export type Seen = Pick<ReleaseHead, "_id" | "sha256">;
export type SeenWaiting = Seen & Required<Pick<ReleaseDocument, "waiting" | "waitingSince">>;

/** Staged releases that wait for their tests or for a person. */
export class WaitingReleases {
  readonly #collection: Collection<ReleaseDocument>;

  constructor(collection: Collection<ReleaseDocument>) {
    this.#collection = collection;
  }

  /** @returns false if the release is no longer staged with these bytes, or waits already */
  async hold(
    { _id, sha256 }: Seen,
    held: Required<Pick<ReleaseDocument, "waiting" | "waitingSince">> & Partial<ReleaseDocument>,
  ): Promise<boolean> {
    const filter = { _id, state: "staged", sha256, waiting: { $exists: false } } as const;
    return (await this.#collection.updateOne(filter, { $set: defined(held) })).matchedCount > 0;
  }

  /** Changes what a release waits for, or since when. @returns false if it does not wait as it did when it was seen */
  async change(seen: SeenWaiting, set: Partial<ReleaseDocument>): Promise<boolean> {
    const { _id, sha256, waiting, waitingSince } = seen;
    const filter = { _id, state: "staged", sha256, waiting, waitingSince } as const;
    return (await this.#collection.updateOne(filter, { $set: defined(set) })).matchedCount > 0;
  }

  /** Those that wait for one thing since before a time, longest first. */
  before(waiting: Waiting, time: Date, limit: number): Promise<ReleaseDocument[]> {
    const filter = { waiting, waitingSince: { $lte: time } };
    return this.#collection.find(filter, { sort: [["waitingSince", 1]], limit, fields: waitingFields });
  }

  /** Those that wait for a reviewer since a time or later, longest first; of their content, the findings. */
  inReview(from: Date, limit: number): Promise<ReleaseDocument[]> {
    const filter = { waiting: "review", waitingSince: { $gte: from } };
    const sort = [
      ["waitingSince", 1],
      ["_id", 1],
    ] as const;
    return this.#collection.find(filter, { sort, limit, fields: [...waitingFields, "content.findings"] });
  }
}
