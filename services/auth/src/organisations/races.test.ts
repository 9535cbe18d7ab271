import { intercepted } from "@registry/documents/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { User } from "../model/user.ts";
import { composeReplica, failure, openStore, type Replica, type Store, startReplica } from "../testing/harness.ts";
import type { Organisation } from "./model/organisation.ts";
import { dyingReplica } from "./testing/dying.ts";
import { type People, type Person, people } from "./testing/people.ts";

let store: Store;
let replica: Replica;
let other: Replica;
let folk: People;
const service = { as: "service" } as const;

beforeAll(async () => {
  store = await openStore();
  replica = await startReplica(store);
  other = await startReplica(store);
  folk = await people(store, replica);
});
afterAll(async () => {
  await replica.close();
  await other.close();
  await store.close();
});

async function founded(...[owner, ...owners]: readonly [Person, ...Person[]]): Promise<string> {
  const name = folk.name();
  await replica.organisations.createOrganisation({ name }, owner.as);
  for (const { username } of owners) {
    await replica.organisations.setMember({ organisation: name, username, role: "owner" }, owner.as);
  }
  return name;
}

/** As anybody may see them. */
async function ownersOf(organisation: string): Promise<string[]> {
  const { members } = await replica.organisations.listMembers({ organisation }, folk.admin);
  return members.filter(({ role }) => role === "owner").map(({ username }) => username);
}

/** The list of owners names nobody who is none. */
async function expectTrueList(organisation: string): Promise<void> {
  const organisations = await store.documents.collection<Organisation>({ name: "organisations", indexes: [] });
  const users = await store.documents.collection<User>({ name: "users", indexes: [] });
  for (const { id } of (await organisations.findOne({ _id: organisation }))?.owners ?? []) {
    const user = await users.findOne({ _id: id, memberships: { $elemMatch: { org: organisation, role: "owner" } } });
    expect(user).toMatchObject({ _id: id, disabled: false });
  }
}

describe("the last owner", () => {
  it("stays one, whoever tries", async () => {
    const [owner, reader] = [await folk.person(), await folk.person()];
    const organisation = await founded(owner);
    const { organisations } = replica;
    await organisations.setMember({ organisation, username: reader.username, role: "maintainer" }, owner.as);
    const { username } = owner;
    for (const by of [owner.as, folk.admin]) {
      for (const call of [
        () => organisations.removeMember({ organisation, username }, by),
        () => organisations.setMember({ organisation, username, role: "reader" }, by),
      ]) {
        const error = await failure(call());
        expect([error.kind, error.reason]).toEqual(["conflict", "LAST_OWNER"]);
      }
    }
    expect(await ownersOf(organisation)).toEqual([username]);
    await organisations.setMember({ organisation, username: reader.username, role: "owner" }, owner.as);
    await organisations.removeMember({ organisation, username }, owner.as);
    expect(await ownersOf(organisation)).toEqual([reader.username]);
  });

  it("is one of two who remove or demote each other at once on two replicas", async () => {
    for (let round = 0; round < 10; round++) {
      const [a, b] = [await folk.person(), await folk.person()];
      const organisation = await founded(a, b);
      const against = (where: Replica, by: Person, { username }: Person) =>
        round % 2 === 0
          ? where.organisations.removeMember({ organisation, username }, by.as)
          : where.organisations.setMember({ organisation, username, role: "reader" }, by.as);
      const outcomes = await Promise.allSettled([against(replica, a, b), against(other, b, a)]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(await ownersOf(organisation)).toHaveLength(1);
      await expectTrueList(organisation);
    }
  });

  it("is there after any mixture of promotions, demotions and departures", async () => {
    const everybody = [await folk.person(), await folk.person(), await folk.person()];
    const organisation = await founded(everybody[0] as Person);
    for (let round = 0; round < 6; round++) {
      const calls = everybody.flatMap(({ username }, i) => {
        const where = (i + round) % 2 === 0 ? replica : other;
        const role = (i + round) % 3 === 0 ? "owner" : "publisher";
        return [
          where.organisations.setMember({ organisation, username, role }, folk.admin),
          where.organisations.removeMember({ organisation, username }, folk.admin),
        ];
      });
      await Promise.allSettled(calls);
      expect((await ownersOf(organisation)).length).toBeGreaterThan(0);
      await expectTrueList(organisation);
    }
  });

  it("may be disabled by an administrator, who appoints another; a disabled owner does not count", async () => {
    const [a, b] = [await folk.person(), await folk.person()];
    const organisation = await founded(a, b);
    await replica.auth.updateUser({ username: b.username, disabled: true }, folk.admin);
    const leaving = replica.organisations.removeMember({ organisation, username: a.username }, a.as);
    expect((await failure(leaving)).reason).toBe("LAST_OWNER");
    await replica.auth.updateUser({ username: b.username, disabled: false }, folk.admin);
    await replica.organisations.removeMember({ organisation, username: a.username }, a.as);
    expect(await ownersOf(organisation)).toEqual([b.username]);
    await replica.auth.updateUser({ username: b.username, disabled: true }, folk.admin);
    await replica.organisations.setMember({ organisation, username: a.username, role: "owner" }, folk.admin);
    expect((await ownersOf(organisation)).sort()).toEqual([a.username, b.username].sort());
    await expect(replica.organisations.getOrganisation({ name: organisation }, a.as)).resolves.toMatchObject({
      organisation: { ownRole: "owner" },
    });
  });
});

it("keeps both of two changes to one user's memberships at once", async () => {
  const [a, b, member] = [await folk.person(), await folk.person(), await folk.person()];
  const [first, second] = [await founded(a), await founded(b)];
  const { username } = member;
  await replica.organisations.setMember({ organisation: first, username, role: "reader" }, a.as);
  await replica.organisations.setMember({ organisation: second, username, role: "reader" }, b.as);
  let removed = false;
  const slow = await composeReplica(store, {
    documents: intercepted(store.documents, "users", "updateOne", async (call) => {
      if (!removed) {
        removed = true;
        await replica.organisations.removeMember({ organisation: second, username }, b.as);
      }
      return call();
    }),
  });
  await slow.organisations.setMember({ organisation: first, username, role: "publisher" }, a.as);
  expect((await replica.auth.getMe({}, member.as)).user?.memberships).toEqual([
    { organisation: first, role: "publisher", teams: [] },
  ]);
  await slow.close();
});

describe("a name", () => {
  it("belongs to a user or to an organisation, also where both are made at once on two replicas", async () => {
    const owner = await folk.person();
    for (let round = 0; round < 8; round++) {
      const name = folk.name("both");
      const email = `${name}@example.org`;
      const outcomes = await Promise.allSettled([
        replica.organisations.createOrganisation({ name }, owner.as),
        other.auth.register({ username: name.toUpperCase(), email, password: "correct horse" }),
        replica.auth.createUser({ username: name }, folk.admin),
      ]);
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      const organisationIsThere = outcomes[0]?.status === "fulfilled";
      const { type } = await replica.organisations.getNamespace({ name }, service);
      expect(type).toBe(organisationIsThere ? "organisation" : "user");
    }
  });

  it("is not taken from a user of before organisations were", async () => {
    const [owner, name] = [await folk.person(), folk.name("older")];
    await replica.auth.createUser({ username: name }, folk.admin);
    const claims = await store.documents.collection<{ _id: string }>({ name: "namespaces", indexes: [] });
    await claims.deleteOne({ _id: name });
    const created = replica.organisations.createOrganisation({ name }, owner.as);
    expect((await failure(created)).reason).toBe("NAME_TAKEN");
    expect(await claims.findOne({ _id: name })).toBeNull();
    expect(await replica.organisations.getNamespace({ name }, service)).toMatchObject({ type: "user", closed: false });
  });

  it("is free again where a crash came between its claim and what it was for", async () => {
    const [owner, name] = [await folk.person(), folk.name("lost")];
    const dies = await dyingReplica(store, "users", "insertOne");
    expect((await failure(dies.auth.createUser({ username: name }, folk.admin))).kind).toBe("unavailable");
    await dies.close();
    const create = () => replica.organisations.createOrganisation({ name }, owner.as);
    expect((await failure(create())).reason).toBe("NAME_TAKEN");
    replica.surroundings.clock.advance(2 * 60_000);
    expect((await create()).organisation?.name).toBe(name);
    const taken = replica.auth.createUser({ username: name }, folk.admin);
    expect((await failure(taken)).reason).toBe("USERNAME_TAKEN");
  });

  it("is lost by whoever took too long over it, and no second thing is made under it", async () => {
    const [owner, name] = [await folk.person(), folk.name("slow")];
    const slow = await composeReplica(store, {
      documents: intercepted(store.documents, "users", "insertOne", async (call) => {
        replica.surroundings.clock.advance(2 * 60_000);
        await replica.organisations.createOrganisation({ name }, owner.as);
        return call();
      }),
    });
    expect((await failure(slow.auth.createUser({ username: name }, folk.admin))).reason).toBe("USERNAME_TAKEN");
    expect(await replica.organisations.getNamespace({ name }, service)).toMatchObject({ type: "organisation" });
    expect((await failure(replica.auth.getUser({ username: name }, folk.admin))).kind).toBe("not_found");
    await slow.close();
  });
});
