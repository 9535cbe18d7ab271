import { intercepted } from "@registry/documents/testing";
import { describe, expect, it } from "vitest";
import { composeReplica, failure, type Replica } from "../testing/harness.ts";
import { createCompany } from "./testing/company.ts";
import { dyingReplica } from "./testing/dying.ts";
import type { Person } from "./testing/people.ts";

const service = { as: "service" } as const;
const company = createCompany();

describe("the last owner", () => {
  it("stays one, whoever tries", async () => {
    const [owner, reader] = [await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("owner", owner);
    const { organisations } = company.replica;
    await organisations.setMember({ organisation, username: reader.username, role: "maintainer" }, owner.as);
    const { username } = owner;
    for (const by of [owner.as, company.folk.admin]) {
      for (const call of [
        () => organisations.removeMember({ organisation, username }, by),
        () => organisations.setMember({ organisation, username, role: "reader" }, by),
      ]) {
        const error = await failure(call());
        expect([error.kind, error.reason]).toEqual(["conflict", "LAST_OWNER"]);
      }
    }
    expect(await company.ownersOf(organisation)).toEqual([username]);
    await organisations.setMember({ organisation, username: reader.username, role: "owner" }, owner.as);
    await organisations.removeMember({ organisation, username }, owner.as);
    expect(await company.ownersOf(organisation)).toEqual([reader.username]);
  });

  it("is one of two who remove or demote each other at once on two replicas", async () => {
    for (let round = 0; round < 10; round++) {
      const [a, b] = [await company.folk.person(), await company.folk.person()];
      const organisation = await company.founded("owner", a, b);
      const against = (where: Replica, by: Person, { username }: Person) =>
        round % 2 === 0
          ? where.organisations.removeMember({ organisation, username }, by.as)
          : where.organisations.setMember({ organisation, username, role: "reader" }, by.as);
      const outcomes = await Promise.allSettled([against(company.replica, a, b), against(company.other, b, a)]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(await company.ownersOf(organisation)).toHaveLength(1);
      await company.expectTrueList(organisation);
    }
  });

  it("is there after any mixture of promotions, demotions and departures", async () => {
    const everybody = [await company.folk.person(), await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("owner", everybody[0] as Person);
    for (let round = 0; round < 6; round++) {
      const calls = everybody.flatMap(({ username }, i) => {
        const where = (i + round) % 2 === 0 ? company.replica : company.other;
        const role = (i + round) % 3 === 0 ? "owner" : "publisher";
        return [
          where.organisations.setMember({ organisation, username, role }, company.folk.admin),
          where.organisations.removeMember({ organisation, username }, company.folk.admin),
        ];
      });
      await Promise.allSettled(calls);
      expect((await company.ownersOf(organisation)).length).toBeGreaterThan(0);
      await company.expectTrueList(organisation);
    }
  });

  it("may be disabled by an administrator, who appoints another; a disabled owner does not count", async () => {
    const [a, b] = [await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("owner", a, b);
    await company.replica.auth.updateUser({ username: b.username, disabled: true }, company.folk.admin);
    const leaving = company.replica.organisations.removeMember({ organisation, username: a.username }, a.as);
    expect((await failure(leaving)).reason).toBe("LAST_OWNER");
    await company.replica.auth.updateUser({ username: b.username, disabled: false }, company.folk.admin);
    await company.replica.organisations.removeMember({ organisation, username: a.username }, a.as);
    expect(await company.ownersOf(organisation)).toEqual([b.username]);
    await company.replica.auth.updateUser({ username: b.username, disabled: true }, company.folk.admin);
    await company.replica.organisations.setMember(
      { organisation, username: a.username, role: "owner" },
      company.folk.admin,
    );
    expect((await company.ownersOf(organisation)).sort()).toEqual([a.username, b.username].sort());
    await expect(company.replica.organisations.getOrganisation({ name: organisation }, a.as)).resolves.toMatchObject({
      organisation: { ownRole: "owner" },
    });
  });
});

it("keeps both of two changes to one user's memberships at once", async () => {
  const [a, b, member] = [await company.folk.person(), await company.folk.person(), await company.folk.person()];
  const [first, second] = [await company.founded("owner", a), await company.founded("owner", b)];
  const { username } = member;
  await company.replica.organisations.setMember({ organisation: first, username, role: "reader" }, a.as);
  await company.replica.organisations.setMember({ organisation: second, username, role: "reader" }, b.as);
  let removed = false;
  const slow = await composeReplica(company.store, {
    documents: intercepted(company.store.documents, "users", "updateOne", async (call) => {
      if (!removed) {
        removed = true;
        await company.replica.organisations.removeMember({ organisation: second, username }, b.as);
      }
      return call();
    }),
  });
  await slow.organisations.setMember({ organisation: first, username, role: "publisher" }, a.as);
  expect((await company.replica.auth.getMe({}, member.as)).user?.memberships).toEqual([
    { organisation: first, role: "publisher", teams: [] },
  ]);
  await slow.close();
});

describe("a name", () => {
  it("belongs to a user or to an organisation, also where both are made at once on two replicas", async () => {
    const owner = await company.folk.person();
    for (let round = 0; round < 8; round++) {
      const name = company.folk.name("both");
      const email = `${name}@example.org`;
      const outcomes = await Promise.allSettled([
        company.replica.organisations.createOrganisation({ name }, owner.as),
        company.other.auth.register({ username: name.toUpperCase(), email, password: "correct horse" }),
        company.replica.auth.createUser({ username: name }, company.folk.admin),
      ]);
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      const organisationIsThere = outcomes[0]?.status === "fulfilled";
      const { type } = await company.replica.organisations.getNamespace({ name }, service);
      expect(type).toBe(organisationIsThere ? "organisation" : "user");
    }
  });

  it("is not taken from a user of before organisations were", async () => {
    const [owner, name] = [await company.folk.person(), company.folk.name("older")];
    await company.replica.auth.createUser({ username: name }, company.folk.admin);
    const claims = await company.store.documents.collection<{ _id: string }>({ name: "namespaces", indexes: [] });
    await claims.deleteOne({ _id: name });
    const created = company.replica.organisations.createOrganisation({ name }, owner.as);
    expect((await failure(created)).reason).toBe("NAME_TAKEN");
    expect(await claims.findOne({ _id: name })).toBeNull();
    expect(await company.replica.organisations.getNamespace({ name }, service)).toMatchObject({
      type: "user",
      closed: false,
    });
  });

  it("is free again where a crash came between its claim and what it was for", async () => {
    const [owner, name] = [await company.folk.person(), company.folk.name("lost")];
    const dies = await dyingReplica(company.store, "users", "insertOne");
    expect((await failure(dies.auth.createUser({ username: name }, company.folk.admin))).kind).toBe("unavailable");
    await dies.close();
    const create = () => company.replica.organisations.createOrganisation({ name }, owner.as);
    expect((await failure(create())).reason).toBe("NAME_TAKEN");
    company.replica.surroundings.clock.advance(2 * 60_000);
    expect((await create()).organisation?.name).toBe(name);
    const taken = company.replica.auth.createUser({ username: name }, company.folk.admin);
    expect((await failure(taken)).reason).toBe("USERNAME_TAKEN");
  });

  it("is lost by whoever took too long over it, and no second thing is made under it", async () => {
    const [owner, name] = [await company.folk.person(), company.folk.name("slow")];
    const slow = await composeReplica(company.store, {
      documents: intercepted(company.store.documents, "users", "insertOne", async (call) => {
        company.replica.surroundings.clock.advance(2 * 60_000);
        await company.replica.organisations.createOrganisation({ name }, owner.as);
        return call();
      }),
    });
    expect((await failure(slow.auth.createUser({ username: name }, company.folk.admin))).reason).toBe("USERNAME_TAKEN");
    expect(await company.replica.organisations.getNamespace({ name }, service)).toMatchObject({ type: "organisation" });
    expect((await failure(company.replica.auth.getUser({ username: name }, company.folk.admin))).kind).toBe(
      "not_found",
    );
    await slow.close();
  });
});
