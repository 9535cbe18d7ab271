import { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import { describe, expect, it } from "vitest";
import { bearer, failure, type Replica, startReplica } from "../testing/harness.ts";
import { createCompany } from "./testing/company.ts";
import type { Person } from "./testing/people.ts";

const service = { as: "service" } as const;
const company = createCompany();

describe("an organisation", () => {
  it("is its creator's from the start, who sees it in every next answer", async () => {
    const owner = await company.folk.person();
    const name = company.folk.name();
    const { organisation } = await company.replica.organisations.createOrganisation(
      { name, title: "Acme Inc.", description: "We make things" },
      owner.as,
    );
    expect(organisation).toMatchObject({
      ...{ name, title: "Acme Inc.", description: "We make things", ownRole: "owner", createdAt: expect.any(Date) },
    });
    expect((await company.other.organisations.getOrganisation({ name }, owner.as)).organisation).toEqual(organisation);
    expect((await company.replica.auth.getMe({}, owner.as)).user?.memberships).toEqual([
      { organisation: name, role: "owner", teams: [] },
    ]);
    const { caller } = await company.replica.surroundings.identity.resolve(`Bearer ${owner.secret}`);
    expect(caller).toMatchObject({ memberships: [{ org: name, role: "owner", teams: {} }] });
  });

  it("does not exist for others, in whatever way they ask", async () => {
    const [owner, stranger] = [await company.folk.person(), await company.folk.person()];
    const name = await company.founded("publisher", owner);
    await company.replica.organisations.createTeam({ organisation: name, name: "core" }, owner.as);
    const { organisations } = company.replica;
    const asks = (org: string): (() => Promise<unknown>)[] => [
      () => organisations.getOrganisation({ name: org }, stranger.as),
      () => organisations.updateOrganisation({ name: org, title: "Mine" }, stranger.as),
      () => organisations.deleteOrganisation({ name: org }, stranger.as),
      () => organisations.listMembers({ organisation: org }, stranger.as),
      () => organisations.setMember({ organisation: org, username: stranger.username, role: "owner" }, stranger.as),
      () => organisations.removeMember({ organisation: org, username: owner.username }, stranger.as),
      () => organisations.removeMember({ organisation: org, username: stranger.username }, stranger.as),
      () => organisations.createTeam({ organisation: org, name: "core" }, stranger.as),
      () => organisations.getTeam({ organisation: org, name: "core" }, stranger.as),
      () => organisations.listTeams({ organisation: org }, stranger.as),
      () => organisations.updateTeam({ organisation: org, name: "core", role: "maintainer" }, stranger.as),
      () => organisations.deleteTeam({ organisation: org, name: "core" }, stranger.as),
      () => organisations.addTeamMember({ organisation: org, team: "core", username: stranger.username }, stranger.as),
      () => organisations.removeTeamMember({ organisation: org, team: "core", username: owner.username }, stranger.as),
      () =>
        organisations.createServiceAccount({ organisation: org, username: company.folk.name("robot") }, stranger.as),
      () => organisations.deleteServiceAccount({ organisation: org, username: owner.username }, stranger.as),
    ];
    for (const call of [...asks(name), ...asks("never-was-there"), ...asks("Not a name")]) {
      const { kind, reason, message } = await failure(call());
      expect([kind, reason, message]).toEqual(["not_found", "ORGANISATION_NOT_FOUND", "Organisation not found"]);
    }
    expect((await organisations.listOrganisations({}, stranger.as)).organisations).toEqual([]);
    expect((await organisations.listOrganisations({}, owner.as)).organisations.map((each) => each.name)).toEqual([
      name,
    ]);
  });

  it("is read by its members, changed by its owners, and both by administrators", async () => {
    const [owner, reader] = [await company.folk.person(), await company.folk.person()];
    const name = await company.founded("publisher", owner);
    const { organisations } = company.replica;
    await organisations.setMember({ organisation: name, username: reader.username, role: "maintainer" }, owner.as);
    expect((await organisations.getOrganisation({ name }, reader.as)).organisation?.ownRole).toBe("maintainer");
    expect((await organisations.listMembers({ organisation: name }, reader.as)).members).toHaveLength(2);
    const denied = [
      () => organisations.updateOrganisation({ name, title: "x" }, reader.as),
      () => organisations.deleteOrganisation({ name }, reader.as),
      () => organisations.setMember({ organisation: name, username: reader.username, role: "owner" }, reader.as),
      () => organisations.removeMember({ organisation: name, username: owner.username }, reader.as),
      () => organisations.createTeam({ organisation: name, name: "core" }, reader.as),
      () => organisations.createServiceAccount({ organisation: name, username: company.folk.name("robot") }, reader.as),
    ];
    for (const call of denied) expect((await failure(call())).kind).toBe("permission_denied");
    const changed = await organisations.updateOrganisation({ name, description: "By hand" }, company.folk.admin);
    expect(changed.organisation).toMatchObject({ title: "Acme", description: "By hand", ownRole: "" });
    await organisations.removeMember({ organisation: name, username: reader.username }, reader.as);
    expect((await failure(organisations.getOrganisation({ name }, reader.as))).kind).toBe("not_found");
  });

  it("shows scoped tokens what they may read and lets them change nothing", async () => {
    const owner = await company.folk.person();
    const [name, second] = [await company.founded("publisher", owner), await company.founded("publisher", owner)];
    const token = async (scope: string) =>
      bearer((await company.replica.auth.createApiToken({ name: scope, scopes: [scope] }, owner.as)).secret);
    const [reader, narrow, publisher] = [await token("read"), await token(`read:@${name}/*`), await token("publish")];
    const { organisations } = company.replica;
    expect((await organisations.getOrganisation({ name: second }, reader)).organisation?.name).toBe(second);
    expect((await organisations.getOrganisation({ name }, narrow)).organisation?.name).toBe(name);
    expect((await organisations.listOrganisations({}, narrow)).organisations.map((each) => each.name)).toEqual([name]);
    for (const org of [second, "never-was-there"]) {
      expect((await failure(organisations.getOrganisation({ name: org }, narrow))).kind).toBe("permission_denied");
      expect((await failure(organisations.getOrganisation({ name: org }, publisher))).kind).toBe("permission_denied");
    }
    for (const scoped of [reader, narrow, publisher]) {
      const change = organisations.updateOrganisation({ name, title: "x" }, scoped);
      expect((await failure(change)).kind).toBe("permission_denied");
    }
    expect((await failure(organisations.listOrganisations({ all: true }, owner.as))).kind).toBe("permission_denied");
  });

  it("is made by those whom the registry lets", async () => {
    const user = await company.folk.person("plain", "user");
    const closed = await startReplica(company.store, { config: { ORGANISATION_CREATION: "admins" } });
    const open = await startReplica(company.store, { config: { ORGANISATION_CREATION: "users" } });
    const publisher = await company.folk.person();
    const make = (where: Replica, by: Person["as"]) =>
      where.organisations.createOrganisation({ name: company.folk.name() }, by);
    expect((await failure(make(company.replica, user.as))).reason).toBe("ORGANISATION_CREATION_DENIED");
    expect((await failure(make(closed, publisher.as))).reason).toBe("ORGANISATION_CREATION_DENIED");
    expect((await failure(make(company.replica, service as never))).kind).toBe("permission_denied");
    expect((await make(closed, company.folk.admin)).organisation?.ownRole).toBe("owner");
    expect((await make(open, user.as)).organisation?.ownRole).toBe("owner");
    await closed.close();
    await open.close();
  });

  it("leaves nothing of any right behind when it is deleted, and nobody gets its name", async () => {
    const [owner, member] = [await company.folk.person(), await company.folk.person()];
    const name = await company.founded("publisher", owner);
    const { organisations } = company.replica;
    await organisations.setMember({ organisation: name, username: member.username, role: "publisher" }, owner.as);
    const robot = company.folk.name("robot");
    await organisations.createServiceAccount({ organisation: name, username: robot }, owner.as);
    await company.other.auth.getMe({}, member.as);
    await organisations.deleteOrganisation({ name }, owner.as);
    for (const { as } of [owner, member]) {
      expect((await failure(company.other.organisations.getOrganisation({ name }, as))).reason).toBe(
        "ORGANISATION_NOT_FOUND",
      );
      expect((await company.other.auth.getMe({}, as)).user?.memberships).toEqual([]);
    }
    expect((await failure(organisations.getOrganisation({ name }, company.folk.admin))).kind).toBe("not_found");
    expect((await failure(organisations.deleteOrganisation({ name }, company.folk.admin))).kind).toBe("not_found");
    expect((await company.replica.auth.getUser({ username: robot }, company.folk.admin)).user?.disabled).toBe(true);
    expect(await organisations.getNamespace({ name }, service)).toMatchObject({ type: "organisation", closed: true });
    expect((await failure(organisations.createOrganisation({ name }, owner.as))).reason).toBe("NAME_TAKEN");
    expect((await failure(company.replica.auth.createUser({ username: name }, company.folk.admin))).reason).toBe(
      "USERNAME_TAKEN",
    );
    const all = await organisations.listOrganisations({ all: true, page: { pageSize: 500 } }, company.folk.admin);
    expect(all.organisations.map((each) => each.name)).not.toContain(name);
  });

  it("is listed page by page, each once", async () => {
    const owner = await company.folk.person();
    const names = [
      await company.founded("publisher", owner),
      await company.founded("publisher", owner),
      await company.founded("publisher", owner),
    ].sort();
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await company.replica.organisations.listOrganisations(
        { page: { pageSize: 2, pageToken } },
        owner.as,
      );
      seen.push(...page.organisations.map((each) => each.name));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(names);
    const bad = company.replica.organisations.listOrganisations({ page: { pageToken: "x".repeat(401) } }, owner.as);
    expect((await failure(bad)).reason).toBe("INVALID_PAGE_TOKEN");
  });
});

it("has a policy for each RPC of the contract, and an audit row for each that changes something", () => {
  const rows = company.replica.service.tables.find(
    ({ definition }) => definition.fullName === OrganisationServiceDefinition.fullName,
  )?.rows;
  expect(Object.keys(rows ?? {}).sort()).toEqual(Object.keys(OrganisationServiceDefinition.methods).sort());
  for (const [method, { options }] of Object.entries(OrganisationServiceDefinition.methods)) {
    const changes = !("idempotencyLevel" in options);
    expect([method, rows?.[method]?.audit !== undefined]).toEqual([method, changes]);
  }
});
