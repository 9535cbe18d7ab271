import { type Collection, type Documents, DuplicateKeyError } from "@registry/documents";
import { RegistryError } from "@registry/domain";
import { partsOf } from "@registry/kit";
import { isLive, type Organisation, organisationNotFound, type Team } from "../model/organisation.ts";

/** What is being changed for longer is what another one's change is still under way to, or a crash cut off. */
const settleAfterMs = 5000;
const settleEveryMs = 60_000;
const settleForMs = 5 * 60_000;
const attempts = 20;
const mostDue = 100;
const groupsAtOnce = 100;

/** Still there for its members. */
const standing = { deletedAt: null } as const;
const live = { deletedAt: null, closing: null } as const;

export class Organisations {
  readonly #organisations: Collection<Organisation>;

  private constructor(organisations: Collection<Organisation>) {
    this.#organisations = organisations;
  }

  static async open(documents: Documents): Promise<Organisations> {
    const organisations = await documents.collection<Organisation>({
      name: "organisations",
      indexes: [
        { name: "skeleton", keys: [["skeleton", 1]], unique: true },
        { name: "settle_at", keys: [["settleAt", 1]] },
        { name: "groups", keys: [["groups", 1]] },
      ],
    });
    return new Organisations(organisations);
  }

  /** Tombstones as well. */
  find(name: string): Promise<Organisation | null> {
    return this.#organisations.findOne({ _id: name });
  }

  /** By name, without tombstones. */
  list(after: string, limit: number): Promise<Organisation[]> {
    return this.#organisations.find({ _id: { $gt: after }, ...standing }, { sort: [["_id", 1]], limit });
  }

  named(names: readonly string[]): Promise<Organisation[]> {
    return this.#organisations.find({ _id: { $in: names }, ...standing }, { sort: [["_id", 1]] });
  }

  /** Those with a team that names one of the groups. */
  async withGroups(groups: readonly string[]): Promise<Organisation[]> {
    const found: Organisation[] = [];
    for (const some of partsOf(groups, groupsAtOnce)) {
      found.push(...(await this.#organisations.find({ groups: { $in: some }, ...live })));
    }
    return found;
  }

  /** @throws kind `already_exists`, reason `NAME_TOO_SIMILAR` */
  async insert(organisation: Organisation): Promise<void> {
    try {
      await this.#organisations.insertOne(organisation);
    } catch (error) {
      if (!(error instanceof DuplicateKeyError) || error.index !== "skeleton") throw error;
      const text =
        "The name looks like that of another organisation: letters of similar shape (0 and o, 1 and l, rn and m) " +
        "and - _ . do not tell names apart; choose another name";
      throw new RegistryError("rejected", "NAME_TOO_SIMILAR", text, {
        fields: [{ pointer: "/name", reason: text }],
      });
    }
  }

  async remove(name: string): Promise<void> {
    await this.#organisations.deleteOne({ _id: name });
  }

  /** @throws where it is none any more, as if it had never been */
  async describe(name: string, fields: Partial<Pick<Organisation, "title" | "description">>): Promise<Organisation> {
    const update = { $set: fields };
    const after = await this.#organisations.findOneAndUpdate({ _id: name, ...live }, update, {
      returnDocument: "after",
    });
    if (after === null) throw organisationNotFound();
    return after;
  }

  /** First step of making an owner; the second is the membership itself. @returns false where nobody may become one */
  async beginOwner(name: string, id: number, stamp: string): Promise<boolean> {
    const begun = await this.#organisations.updateOne({ _id: name, ...live }, { $push: { promoting: { id, stamp } } });
    return begun.matchedCount > 0;
  }

  /** Last step. Where the owner was unmade since the first one, it does nothing. */
  async endOwner(name: string, id: number, stamp: string): Promise<void> {
    await this.#organisations.updateOne(
      { _id: name, promoting: { $elemMatch: { id, stamp } } },
      { $pull: { promoting: { stamp } }, $addToSet: { owners: { id } } },
    );
  }

  /** Instead of the last step, where there is no membership. */
  async cancelOwner(name: string, stamp: string): Promise<void> {
    await this.#organisations.updateOne({ _id: name }, { $pull: { promoting: { stamp } } });
  }

  /** Takes one off the list in one step with the check that another one stays. @returns false where none would */
  async removeOwner(name: string, id: number): Promise<boolean> {
    const { matchedCount } = await this.#organisations.updateOne(
      { _id: name, owners: { $elemMatch: { id: { $ne: id } } } },
      { $pull: { owners: { id }, promoting: { id } } },
    );
    return matchedCount > 0;
  }

  /** Takes one off the list, and be it the last. */
  async dropOwner(name: string, id: number): Promise<void> {
    await this.#organisations.updateOne({ _id: name }, { $pull: { owners: { id }, promoting: { id } } });
  }

  /**
   * @param change throws, or gives undefined to leave it as it is; asked again where another one changed it meanwhile
   * @param now where it takes rights away, so that what a crash leaves undone is made up for
   */
  async changeTeams(
    name: string,
    change: (teams: readonly Team[]) => readonly Team[] | undefined,
    now: Date | undefined,
  ): Promise<Organisation> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const before = await this.find(name);
      if (!isLive(before)) throw organisationNotFound();
      const teams = change(before.teams);
      if (teams === undefined) return before;
      const after = await this.#organisations.findOneAndUpdate(
        { _id: name, revision: before.revision },
        {
          $set: { teams, groups: groupsOf(teams), ...(now === undefined ? {} : settling(now)) },
          $inc: { revision: 1 },
        },
        { returnDocument: "after" },
      );
      if (after !== null) return after;
    }
    throw tooBusy();
  }

  /** @returns as it is now; null where there is none to close */
  beginClosing(name: string, now: Date): Promise<Organisation | null> {
    return this.#organisations.findOneAndUpdate(
      { _id: name, ...standing },
      { $set: { closing: true, ...settling(now) }, $inc: { revision: 1 } },
      { returnDocument: "after" },
    );
  }

  /** Once nobody is a member any more. */
  async endClosing(name: string, now: Date): Promise<void> {
    await this.#organisations.updateOne(
      { _id: name, closing: true, ...standing },
      { $set: { deletedAt: now, owners: [], promoting: [], teams: [], groups: [] } },
    );
  }

  due(now: Date): Promise<Organisation[]> {
    return this.#organisations.find({ settleAt: { $lte: now } }, { sort: [["settleAt", 1]], limit: mostDue });
  }

  /** One replica settles at a time. @returns whether it is this one */
  async claimSettling({ _id, settleAt }: Organisation, now: Date): Promise<boolean> {
    const next = new Date(now.getTime() + settleEveryMs);
    const claim = await this.#organisations.updateOne(
      { _id, settleAt: settleAt ?? null },
      { $set: { settleAt: next } },
    );
    return claim.matchedCount > 0;
  }

  async endSettling(name: string, now: Date): Promise<void> {
    await this.#organisations.updateOne(
      { _id: name, settleUntil: { $lte: now } },
      { $unset: { settleAt: true, settleUntil: true } },
    );
  }
}

function groupsOf(teams: readonly Team[]): readonly string[] {
  return [...new Set(teams.flatMap((team) => team.groups))];
}

function settling(now: Date): Required<Pick<Organisation, "settleAt" | "settleUntil">> {
  const at = now.getTime();
  return { settleAt: new Date(at + settleAfterMs), settleUntil: new Date(at + settleForMs) };
}

export const tooBusy = (): RegistryError =>
  new RegistryError("unavailable", "TOO_BUSY", "Others keep changing the same at this moment; try again", {
    retryAfterSeconds: 1,
  });
