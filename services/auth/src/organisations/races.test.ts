import { intercepted } from "@registry/documents/testing";
import { unavailable } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { User } from "../model/user.ts";
import { composeReplica, failure, openStore, type Replica, type Store, startReplica } from "../testing/harness.ts";
import type { Organisation } from "./model/organisation.ts";
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

/** A replica that dies, as far as the store can tell, instead of its nth call of this method. */
async function dying(collection: string, method: "updateOne" | "updateMany" | "insertOne", nth = 1) {
  let calls = 0;
  let dead = false;
  const die = (): Promise<never> => {
    dead = true;
    return Promise.reject(unavailable("the document store"));
  };
  const whole = ["counters", "users", "organisations", "namespaces", "tokens"] as const;
  let documents = intercepted(store.documents, collection, method, (call) => {
    calls += 1;
    return dead || calls === nth ? die() : call();
  });
  // After its death nothing else that it would have cleaned up is written either.
  for (const name of whole) {
    for (const write of ["updateOne", "findOneAndUpdate", "deleteOne", "insertOne", "insertNew"] as const) {
      if (name === collection && write === method) continue;
      documents = intercepted(documents, name, write, (call) => (dead ? die() : call()));
    }
  }
  return composeReplica(store, { documents });
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
    const dies = await dying("users", "insertOne");
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

describe("a crash", () => {
  it.each(["organisations", "users"])(
    "while an organisation is made (write to %s): the same again makes it",
    async (collection) => {
      const [owner, name] = [await folk.person(), folk.name()];
      const dies = await dying(collection, "updateOne");
      expect((await failure(dies.organisations.createOrganisation({ name }, owner.as))).kind).toBe("unavailable");
      await dies.close();
      expect((await failure(replica.organisations.getOrganisation({ name }, owner.as))).kind).toBe("not_found");
      const foreign = replica.organisations.createOrganisation({ name }, (await folk.person()).as);
      expect((await failure(foreign)).reason).toBe("NAME_TAKEN");
      const { organisation } = await replica.organisations.createOrganisation({ name }, owner.as);
      expect(organisation?.ownRole).toBe("owner");
      expect(await ownersOf(name)).toEqual([owner.username]);
      const again = replica.organisations.createOrganisation({ name }, owner.as);
      expect((await failure(again)).reason).toBe("NAME_TAKEN");
    },
  );

  it("before a new owner is listed: it is one, and the first may leave", async () => {
    const [a, b] = [await folk.person(), await folk.person()];
    const organisation = await founded(a);
    const dies = await dying("organisations", "updateOne", 2);
    const promoted = dies.organisations.setMember({ organisation, username: b.username, role: "owner" }, a.as);
    expect((await failure(promoted)).kind).toBe("unavailable");
    await dies.close();
    expect((await ownersOf(organisation)).sort()).toEqual([a.username, b.username].sort());
    await replica.organisations.removeMember({ organisation, username: a.username }, a.as);
    expect(await ownersOf(organisation)).toEqual([b.username]);
    await expectTrueList(organisation);
  });

  it("between the list of owners and the rights: the owner is one still, and shown as one", async () => {
    const [a, b] = [await folk.person(), await folk.person()];
    const organisation = await founded(a, b);
    const dies = await dying("users", "updateOne");
    const removed = dies.organisations.removeMember({ organisation, username: b.username }, a.as);
    expect((await failure(removed)).kind).toBe("unavailable");
    await dies.close();
    expect((await ownersOf(organisation)).sort()).toEqual([a.username, b.username].sort());
    await replica.organisations.removeMember({ organisation, username: a.username }, b.as);
    expect(await ownersOf(organisation)).toEqual([b.username]);
  });

  it.each([
    [
      "deleted",
      (where: Replica, organisation: string, by: Person) =>
        where.organisations.deleteTeam({ organisation, name: "core" }, by.as),
    ],
    [
      "lowered",
      (where: Replica, organisation: string, by: Person) =>
        where.organisations.updateTeam({ organisation, name: "core", role: "reader" }, by.as),
    ],
  ] as const)("while a team is %s: what members hold is shown, and the next start ends it", async (how, change) => {
    const [owner, a, b] = [await folk.person(), await folk.person(), await folk.person()];
    const organisation = await founded(owner);
    await replica.organisations.createTeam({ organisation, name: "core", role: "maintainer" }, owner.as);
    for (const { username } of [a, b]) {
      await replica.organisations.setMember({ organisation, username, role: "reader" }, owner.as);
      await replica.organisations.addTeamMember({ organisation, team: "core", username }, owner.as);
    }
    const dies = await dying("users", "updateOne", 2);
    expect((await failure(change(dies, organisation, owner))).kind).toBe("unavailable");
    await dies.close();
    const { team } = await replica.organisations.getTeam({ organisation, name: "core" }, owner.as);
    expect(team?.role).toBe("maintainer");

    const next = await composeReplica(store);
    next.surroundings.clock.advance(10_000);
    await next.service.start();
    const rights = async () => {
      const { users } = await next.auth.listUsers({ page: { pageSize: 500 } }, folk.admin);
      return users.filter(({ id }) => [a.id, b.id].includes(id)).map(({ memberships }) => memberships[0]?.teams);
    };
    const roles = async () => {
      const both = await Promise.all(
        [a, b].map(({ secret }) => next.surroundings.identity.resolve(`Bearer ${secret}`)),
      );
      return both.map(({ caller }) => caller.type === "user" && caller.memberships?.[0]?.teams);
    };
    await expect
      .poll(async () => (await next.organisations.listTeams({ organisation }, owner.as)).teams[0]?.role)
      .toBe(how === "deleted" ? undefined : "reader");
    expect(await rights()).toEqual(how === "deleted" ? [[], []] : [["core"], ["core"]]);
    expect(await roles()).toEqual(how === "deleted" ? [{}, {}] : [{ core: "reader" }, { core: "reader" }]);
    await next.close();
  });

  it("while an organisation is deleted: its members see it until they have lost what came from it", async () => {
    const [owner, member] = [await folk.person(), await folk.person()];
    const organisation = await founded(owner);
    await replica.organisations.setMember({ organisation, username: member.username, role: "reader" }, owner.as);
    const dies = await dying("users", "updateMany");
    expect((await failure(dies.organisations.deleteOrganisation({ name: organisation }, owner.as))).kind).toBe(
      "unavailable",
    );
    await dies.close();
    expect((await replica.organisations.listMembers({ organisation }, member.as)).members).toHaveLength(2);
    expect(await replica.organisations.getNamespace({ name: organisation }, service)).toMatchObject({ closed: true });
    const stranger = await folk.person();
    const joining = replica.organisations.setMember(
      { organisation, username: stranger.username, role: "owner" },
      owner.as,
    );
    expect((await failure(joining)).reason).toBe("ORGANISATION_NOT_FOUND");

    const next = await composeReplica(store);
    next.surroundings.clock.advance(10_000);
    await next.service.start();
    await expect.poll(async () => (await next.auth.getMe({}, member.as)).user?.memberships).toEqual([]);
    expect((await failure(next.organisations.getOrganisation({ name: organisation }, owner.as))).kind).toBe(
      "not_found",
    );
    await next.close();
  });

  it("between a change and a deletion at the same moment: who joins late is put out again", async () => {
    const [owner, late] = [await folk.person(), await folk.person()];
    const organisation = await founded(owner);
    let deleted = false;
    const slow = await composeReplica(store, {
      documents: intercepted(store.documents, "users", "updateOne", async (call) => {
        if (!deleted) {
          deleted = true;
          await replica.organisations.deleteOrganisation({ name: organisation }, owner.as);
        }
        return call();
      }),
    });
    const joining = slow.organisations.setMember({ organisation, username: late.username, role: "reader" }, owner.as);
    expect((await failure(joining)).reason).toBe("ORGANISATION_NOT_FOUND");
    expect((await replica.auth.getMe({}, late.as)).user?.memberships).toEqual([]);
    await slow.close();
  });
});
