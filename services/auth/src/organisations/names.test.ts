import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failure } from "../testing/harness.ts";
import { createCompany } from "./testing/company.ts";

const service = { as: "service" } as const;
const company = createCompany();

describe("names and texts", () => {
  it.each([
    [{ name: "" }, "INVALID_ORGANISATION"],
    [{ name: "Acme" }, "INVALID_ORGANISATION"],
    [{ name: "a--b" }, "INVALID_ORGANISATION"],
    [{ name: "a".repeat(40) }, "INVALID_ORGANISATION"],
    [{ name: "npm" }, "RESERVED_ORGANISATION"],
    [{ name: "anonymous" }, "RESERVED_ORGANISATION"],
    [{ title: "x".repeat(101) }, "INVALID_TEXT"],
    [{ title: "a\u202Eb" }, "INVALID_TEXT"],
    [{ description: "x".repeat(1001) }, "INVALID_TEXT"],
  ])("are refused where they break a rule: %j", async (change, reason) => {
    const owner = await company.folk.person();
    const error = await failure(
      company.replica.organisations.createOrganisation({ name: "fine-name", ...change }, owner.as),
    );
    expect([error.kind, error.reason]).toEqual(["invalid_argument", reason]);
    expect(error.fields[0]?.pointer).toBe(`/${Object.keys(change)[0]}`);
  });

  it("that look like another organisation's are refused", async () => {
    const owner = await company.folk.person();
    await company.replica.organisations.createOrganisation({ name: "modern-tools" }, owner.as);
    for (const name of ["m0dern.tools", "rnodern-too1s", "moderntools"]) {
      const { kind, reason } = await failure(company.replica.organisations.createOrganisation({ name }, owner.as));
      expect([kind, reason]).toEqual(["rejected", "NAME_TOO_SIMILAR"]);
    }
  });

  it("never cost a fault of ours, whatever they are, and name no team that is not there", async () => {
    const owner = await company.folk.person();
    const organisation = await company.founded("publisher", owner);
    await company.replica.organisations.createTeam({ organisation, name: "core" }, owner.as);
    const hostile = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.constantFrom(
        "__proto__",
        "constructor",
        "toString",
        "$ne",
        "a.b",
        "teams.core",
        "\u0000",
        "0",
        "x".repeat(5000),
      ),
    );
    const kinds = ["invalid_argument", "not_found", "already_exists"];
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const { organisations } = company.replica;
        const asks = [
          () => organisations.getOrganisation({ name: text }, owner.as),
          () => organisations.getTeam({ organisation, name: text }, owner.as),
          () => organisations.deleteTeam({ organisation, name: text }, owner.as),
          () => organisations.addTeamMember({ organisation, team: text, username: owner.username }, owner.as),
          () => organisations.addTeamMember({ organisation, team: "core", username: text }, owner.as),
          () => organisations.removeTeamMember({ organisation, team: text, username: owner.username }, owner.as),
          () => organisations.setMember({ organisation, username: text, role: "reader" }, owner.as),
          () => organisations.setMember({ organisation, username: owner.username, role: text }, owner.as),
          () => organisations.removeMember({ organisation, username: text }, owner.as),
        ];
        for (const call of asks) expect(kinds).toContain((await failure(call())).kind);
        expect(await organisations.getNamespace({ name: text }, service)).toMatchObject({ type: "" });
      }),
      { numRuns: 40 },
    );
  });

  it("may be those of JavaScript's own without meaning anything", async () => {
    const owner = await company.folk.person();
    const organisation = await company.founded("publisher", owner);
    const { organisations } = company.replica;
    for (const name of ["constructor", "1", "0"]) {
      expect((await failure(organisations.getTeam({ organisation, name }, owner.as))).reason).toBe("TEAM_NOT_FOUND");
      await organisations.createTeam({ organisation, name, role: "publisher" }, owner.as);
      const { team } = await organisations.addTeamMember(
        { organisation, team: name, username: owner.username },
        owner.as,
      );
      expect(team?.members).toEqual([owner.username]);
    }
    const { caller } = await company.replica.surroundings.identity.resolve(`Bearer ${owner.secret}`);
    expect(caller).toMatchObject({
      memberships: [{ org: organisation, teams: { constructor: "publisher", 1: "publisher", 0: "publisher" } }],
    });
    await organisations.deleteTeam({ organisation, name: "constructor" }, owner.as);
    const { members } = await organisations.listMembers({ organisation }, owner.as);
    expect(members[0]?.teams).toEqual(["0", "1"]);
  });
});
