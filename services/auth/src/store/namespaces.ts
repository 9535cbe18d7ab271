import type { Collection, Documents } from "@registry/documents";

/** Whose a namespace may be. */
export type NamespaceKind = "organisation" | "user";

export interface Claim {
  /** The name, lower case. */
  readonly _id: string;
  readonly kind: NamespaceKind;
  /** Tells this claim from every other one on the name. */
  readonly stamp: string;
  readonly at: Date;
}

/**
 * Names that users and organisations share: one insert decides who has one. Users from before this collection have no
 * row here.
 */
export class Namespaces {
  readonly #claims: Collection<Claim>;

  private constructor(claims: Collection<Claim>) {
    this.#claims = claims;
  }

  static async open(documents: Documents): Promise<Namespaces> {
    return new Namespaces(await documents.collection<Claim>({ name: "namespaces", indexes: [] }));
  }

  find(name: string): Promise<Claim | null> {
    return this.#claims.findOne({ _id: name });
  }

  /** @returns whether the name was free */
  async insert(claim: Claim): Promise<boolean> {
    return (await this.#claims.insertNew([claim])).length > 0;
  }

  /** @returns false where somebody else took it over, or it was given back */
  async takeOver(from: Claim, to: Claim): Promise<boolean> {
    const { _id, ...fields } = to;
    const { matchedCount } = await this.#claims.updateOne({ _id, stamp: from.stamp }, { $set: fields });
    return matchedCount > 0;
  }

  async holds({ _id, stamp }: Claim): Promise<boolean> {
    return (await this.#claims.findOne({ _id, stamp })) !== null;
  }

  async release({ _id, stamp }: Claim): Promise<void> {
    await this.#claims.deleteOne({ _id, stamp });
  }
}
