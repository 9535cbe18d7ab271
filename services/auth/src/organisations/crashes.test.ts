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

describe("a crash", () => {
  it.each(["organisations", "users"])(
    "while an organisation is made (write to %s): the same again makes it",
    async (collection) => {
      const [owner, name] = [await folk.person(), folk.name()];
      const dies = await dyingReplica(store, collection, "updateOne");
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
    const dies = await dyingReplica(store, "organisations", "updateOne", 2);
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
    const dies = await dyingReplica(store, "users", "updateOne");
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
    const dies = await dyingReplica(store, "users", "updateOne", 2);
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
    const dies = await dyingReplica(store, "users", "updateMany");
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
