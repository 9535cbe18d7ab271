import type { Membership } from "@registry/domain";
import { afterAll, beforeAll, expect } from "vitest";
import type { User } from "../../model/user.ts";
import { openStore, type Replica, type Store, startReplica } from "../../testing/harness.ts";
import type { Organisation } from "../model/organisation.ts";
import { type People, type Person, people } from "./people.ts";

interface Running {
  readonly store: Store;
  readonly replica: Replica;
  /** Another replica on the same store. */
  readonly other: Replica;
  readonly folk: People;
}

/** Two replicas on one store and the people who use them. It may be used once `beforeAll` has run. */
export interface Company extends Running {
  /** A new organisation of this owner, with these members. */
  founded(role: "owner" | "publisher", owner: Person, ...members: readonly Person[]): Promise<string>;
  /** What the next exchange of the person's credential says. */
  held(where: Replica, person: Person): Promise<readonly Membership[]>;
  /** Usernames, as anybody may see them. */
  ownersOf(organisation: string): Promise<string[]>;
  /** Fails where the list of owners names somebody who is none. */
  expectTrueList(organisation: string): Promise<void>;
}

/** For the calling file: started before its tests, and closed after them. */
export function createCompany(): Company {
  let running: Running | undefined;
  const company = (): Running => {
    if (running === undefined) throw new Error("the company is not open yet");
    return running;
  };
  beforeAll(async () => {
    const store = await openStore();
    const [replica, other] = [await startReplica(store), await startReplica(store)];
    running = { store, replica, other, folk: await people(store, replica) };
  });
  afterAll(async () => {
    await running?.replica.close();
    await running?.other.close();
    await running?.store.close();
  });
  return {
    get store() {
      return company().store;
    },
    get replica() {
      return company().replica;
    },
    get other() {
      return company().other;
    },
    get folk() {
      return company().folk;
    },
    async founded(role, owner, ...members) {
      const { folk, replica } = company();
      const name = folk.name();
      await replica.organisations.createOrganisation({ name, title: "Acme" }, owner.as);
      for (const { username } of members) {
        await replica.organisations.setMember({ organisation: name, username, role }, owner.as);
      }
      return name;
    },
    async held(where, { secret }) {
      const { caller } = await where.surroundings.identity.resolve(`Bearer ${secret}`);
      return caller.type === "user" ? (caller.memberships ?? []) : [];
    },
    async ownersOf(organisation) {
      const { folk, replica } = company();
      const { members } = await replica.organisations.listMembers({ organisation }, folk.admin);
      return members.filter(({ role }) => role === "owner").map(({ username }) => username);
    },
    async expectTrueList(organisation) {
      const { documents } = company().store;
      const organisations = await documents.collection<Organisation>({ name: "organisations", indexes: [] });
      const users = await documents.collection<User>({ name: "users", indexes: [] });
      for (const { id } of (await organisations.findOne({ _id: organisation }))?.owners ?? []) {
        const owns = { $elemMatch: { org: organisation, role: "owner" } };
        expect(await users.findOne({ _id: id, memberships: owns })).toMatchObject({ _id: id, disabled: false });
      }
    },
  };
}
