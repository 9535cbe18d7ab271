import { describe, expect, it } from "vitest";
import { failure } from "../testing/harness.ts";
import { createCompany } from "./testing/company.ts";

const company = createCompany();

describe("a team", () => {
  it("gives its role to its members, also after it has changed, and nothing once it is deleted", async () => {
    const [owner, member] = [await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("publisher", owner, member);
    const { organisations } = company.replica;
    const created = await organisations.createTeam(
      { organisation, name: "core", description: "The core", groups: ["eng", "eng", "ops"] },
      owner.as,
    );
    expect(created.team).toMatchObject({ name: "core", role: "reader", members: [], groups: ["eng", "ops"] });
    const added = await organisations.addTeamMember(
      { organisation, team: "core", username: member.username },
      owner.as,
    );
    expect(added.team?.members).toEqual([member.username]);
    for (const role of ["maintainer", "publisher", "reader", "publisher"]) {
      const { team } = await organisations.updateTeam({ organisation, name: "core", role }, owner.as);
      expect(team).toMatchObject({ role, description: "The core", members: [member.username] });
      expect(await company.held(company.replica, member)).toEqual([
        { org: organisation, role: "publisher", teams: { core: role } },
      ]);
    }
    const texts = { description: "Other", groups: { groups: [] } };
    const { team } = await organisations.updateTeam({ organisation, name: "core", ...texts }, owner.as);
    expect(team).toMatchObject({ description: "Other", groups: [], role: "publisher" });

    await organisations.deleteTeam({ organisation, name: "core" }, owner.as);
    expect(await company.held(company.replica, member)).toEqual([{ org: organisation, role: "publisher", teams: {} }]);
    expect((await failure(organisations.deleteTeam({ organisation, name: "core" }, owner.as))).reason).toBe(
      "TEAM_NOT_FOUND",
    );
    expect((await organisations.listTeams({ organisation }, member.as)).teams).toEqual([]);
  });

  it("never leaves a right behind, however adding, lowering and deleting meet on two replicas", async () => {
    const [owner, member] = [await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("publisher", owner, member);
    for (let round = 0; round < 8; round++) {
      const name = `team${round}`;
      await company.replica.organisations.createTeam({ organisation, name, role: "maintainer" }, owner.as);
      await Promise.allSettled([
        company.other.organisations.addTeamMember({ organisation, team: name, username: member.username }, owner.as),
        round % 2 === 0
          ? company.replica.organisations.deleteTeam({ organisation, name }, owner.as)
          : company.replica.organisations.updateTeam({ organisation, name, role: "reader" }, owner.as),
      ]);
      const { teams } = await company.replica.organisations.listTeams({ organisation }, owner.as);
      const shown = Object.fromEntries(
        teams.filter(({ members }) => members.includes(member.username)).map((team) => [team.name, team.role]),
      );
      expect((await company.held(company.replica, member))[0]?.teams).toEqual(shown);
    }
  });

  it("is one of at most a hundred", async () => {
    const owner = await company.folk.person();
    const organisation = await company.founded("publisher", owner);
    const create = (i: number) =>
      company.replica.organisations.createTeam({ organisation, name: `team${i}` }, owner.as);
    for (let i = 0; i < 100; i += 10) await Promise.all(Array.from({ length: 10 }, (_, j) => create(i + j)));
    expect((await failure(create(100))).reason).toBe("TOO_MANY_TEAMS");
    expect((await failure(create(7))).reason).toBe("TEAM_EXISTS");
    const bad = { organisation, name: "wrong_name" };
    expect((await failure(company.replica.organisations.createTeam(bad, owner.as))).reason).toBe("INVALID_TEAM");
    const tall = { organisation, name: "tall", role: "owner" };
    expect((await failure(company.replica.organisations.createTeam(tall, owner.as))).reason).toBe("INVALID_ROLE");
    const groups = { organisation, name: "groups", groups: ["ok", "x".repeat(201)] };
    const error = await failure(company.replica.organisations.createTeam(groups, owner.as));
    expect([error.reason, error.fields[0]?.pointer]).toEqual(["INVALID_GROUP", "/groups/1"]);
  });
});
