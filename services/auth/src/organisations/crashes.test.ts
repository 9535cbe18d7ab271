import { intercepted } from "@registry/documents/testing";
import { describe, expect, it } from "vitest";
import { composeReplica, failure, type Replica } from "../testing/harness.ts";
import { createCompany } from "./testing/company.ts";
import { dyingReplica } from "./testing/dying.ts";
import type { Person } from "./testing/people.ts";

const service = { as: "service" } as const;
const company = createCompany();

describe("a crash", () => {
  it.each(["organisations", "users"])(
    "while an organisation is made (write to %s): the same again makes it",
    async (collection) => {
      const [owner, name] = [await company.folk.person(), company.folk.name()];
      const dies = await dyingReplica(company.store, collection, "updateOne");
      expect((await failure(dies.organisations.createOrganisation({ name }, owner.as))).kind).toBe("unavailable");
      await dies.close();
      expect((await failure(company.replica.organisations.getOrganisation({ name }, owner.as))).kind).toBe("not_found");
      const foreign = company.replica.organisations.createOrganisation({ name }, (await company.folk.person()).as);
      expect((await failure(foreign)).reason).toBe("NAME_TAKEN");
      const { organisation } = await company.replica.organisations.createOrganisation({ name }, owner.as);
      expect(organisation?.ownRole).toBe("owner");
      expect(await company.ownersOf(name)).toEqual([owner.username]);
      const again = company.replica.organisations.createOrganisation({ name }, owner.as);
      expect((await failure(again)).reason).toBe("NAME_TAKEN");
    },
  );

  it("before a new owner is listed: it is one, and the first may leave", async () => {
    const [a, b] = [await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("owner", a);
    const dies = await dyingReplica(company.store, "organisations", "updateOne", 2);
    const promoted = dies.organisations.setMember({ organisation, username: b.username, role: "owner" }, a.as);
    expect((await failure(promoted)).kind).toBe("unavailable");
    await dies.close();
    expect((await company.ownersOf(organisation)).sort()).toEqual([a.username, b.username].sort());
    await company.replica.organisations.removeMember({ organisation, username: a.username }, a.as);
    expect(await company.ownersOf(organisation)).toEqual([b.username]);
    await company.expectTrueList(organisation);
  });

  it("between the list of owners and the rights: the owner is one still, and shown as one", async () => {
    const [a, b] = [await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("owner", a, b);
    const dies = await dyingReplica(company.store, "users", "updateOne");
    const removed = dies.organisations.removeMember({ organisation, username: b.username }, a.as);
    expect((await failure(removed)).kind).toBe("unavailable");
    await dies.close();
    expect((await company.ownersOf(organisation)).sort()).toEqual([a.username, b.username].sort());
    await company.replica.organisations.removeMember({ organisation, username: a.username }, b.as);
    expect(await company.ownersOf(organisation)).toEqual([b.username]);
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
    const [owner, a, b] = [await company.folk.person(), await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("owner", owner);
    await company.replica.organisations.createTeam({ organisation, name: "core", role: "maintainer" }, owner.as);
    for (const { username } of [a, b]) {
      await company.replica.organisations.setMember({ organisation, username, role: "reader" }, owner.as);
      await company.replica.organisations.addTeamMember({ organisation, team: "core", username }, owner.as);
    }
    const dies = await dyingReplica(company.store, "users", "updateOne", 2);
    expect((await failure(change(dies, organisation, owner))).kind).toBe("unavailable");
    await dies.close();
    const { team } = await company.replica.organisations.getTeam({ organisation, name: "core" }, owner.as);
    expect(team?.role).toBe("maintainer");

    const next = await composeReplica(company.store);
    next.surroundings.clock.advance(10_000);
    await next.service.start();
    const rights = async () => {
      const { users } = await next.auth.listUsers({ page: { pageSize: 500 } }, company.folk.admin);
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
    const [owner, member] = [await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("owner", owner);
    await company.replica.organisations.setMember(
      { organisation, username: member.username, role: "reader" },
      owner.as,
    );
    const dies = await dyingReplica(company.store, "users", "updateMany");
    expect((await failure(dies.organisations.deleteOrganisation({ name: organisation }, owner.as))).kind).toBe(
      "unavailable",
    );
    await dies.close();
    expect((await company.replica.organisations.listMembers({ organisation }, member.as)).members).toHaveLength(2);
    expect(await company.replica.organisations.getNamespace({ name: organisation }, service)).toMatchObject({
      closed: true,
    });
    const stranger = await company.folk.person();
    const joining = company.replica.organisations.setMember(
      { organisation, username: stranger.username, role: "owner" },
      owner.as,
    );
    expect((await failure(joining)).reason).toBe("ORGANISATION_NOT_FOUND");

    const next = await composeReplica(company.store);
    next.surroundings.clock.advance(10_000);
    await next.service.start();
    await expect.poll(async () => (await next.auth.getMe({}, member.as)).user?.memberships).toEqual([]);
    expect((await failure(next.organisations.getOrganisation({ name: organisation }, owner.as))).kind).toBe(
      "not_found",
    );
    await next.close();
  });

  it("between a change and a deletion at the same moment: who joins late is put out again", async () => {
    const [owner, late] = [await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("owner", owner);
    let deleted = false;
    const slow = await composeReplica(company.store, {
      documents: intercepted(company.store.documents, "users", "updateOne", async (call) => {
        if (!deleted) {
          deleted = true;
          await company.replica.organisations.deleteOrganisation({ name: organisation }, owner.as);
        }
        return call();
      }),
    });
    const joining = slow.organisations.setMember({ organisation, username: late.username, role: "reader" }, owner.as);
    expect((await failure(joining)).reason).toBe("ORGANISATION_NOT_FOUND");
    expect((await company.replica.auth.getMe({}, late.as)).user?.memberships).toEqual([]);
    await slow.close();
  });
});
