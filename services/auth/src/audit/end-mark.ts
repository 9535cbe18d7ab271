import type { Collection, Documents } from "@registry/documents";
import type { Keys } from "@registry/kit";
import type { LogEnd } from "./row.ts";

type EndDocument = {
  readonly _id: string;
  readonly sequence: number;
  readonly hash: string;
  /** Of the two; who can only write to the store cannot make one. */
  readonly mac: string;
};

export type EndMarked = { readonly state: "marked"; readonly end: LogEnd } | { readonly state: "absent" | "forged" };

const id = "end";
const attempts = 5;

/** Where the log ends, told apart from its rows, so that a cut tail is missed at once. It only moves forward. */
export class EndMark {
  readonly #documents: Collection<EndDocument>;
  readonly #keys: Keys;

  private constructor(documents: Collection<EndDocument>, keys: Keys) {
    this.#documents = documents;
    this.#keys = keys;
  }

  static async open(documents: Documents, keys: Keys): Promise<EndMark> {
    return new EndMark(await documents.collection<EndDocument>({ name: "audit_head", indexes: [] }), keys);
  }

  async read(): Promise<EndMarked> {
    const found = await this.#documents.findOne({ _id: id });
    if (found === null) return { state: "absent" };
    const { sequence, hash, mac } = found;
    if (!this.#keys.verifyMac("audit-head", textOf(found), String(mac))) return { state: "forged" };
    return { state: "marked", end: { sequence, hash } };
  }

  /** The mark is at this end or beyond it when this resolves; one that nobody here made is replaced. */
  async move(end: LogEnd): Promise<void> {
    const mark = { ...end, mac: this.#keys.mac("audit-head", textOf(end)) };
    for (let i = 0; i < attempts; i++) {
      const behind = { _id: id, sequence: { $lt: end.sequence } };
      if ((await this.#documents.updateOne(behind, { $set: mark })).matchedCount > 0) return;
      if ((await this.#documents.insertNew([{ _id: id, ...mark }])).length > 0) return;
      const there = await this.read();
      if (there.state === "marked" && there.end.sequence >= end.sequence) return;
      if (there.state === "forged") await this.#documents.deleteOne({ _id: id });
    }
  }
}

function textOf({ sequence, hash }: LogEnd): string {
  return `${sequence}\n${hash}`;
}
