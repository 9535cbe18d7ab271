import { describe, expect, it } from "vitest";
import type { User } from "../model/user.ts";
import { failure, type Replica } from "../testing/harness.ts";
import { createCompany } from "./testing/company.ts";

const company = createCompany();

describe("a member", () => {
  it("that is removed on one replica is none on the other, where its internal token has ended", async () => {
    const [owner, member] = [await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("publisher", owner, member);
    await company.replica.organisations.createTeam({ organisation, name: "core", role: "maintainer" }, owner.as);
    await company.replica.organisations.addTeamMember(
      { organisation, team: "core", username: member.username },
      owner.as,
    );
    await company.other.surroundings.identity.epoch.refresh();
    const before = await company.other.surroundings.identity.resolve(`Bearer ${member.secret}`);
    expect(await company.held(company.other, member)).toEqual([
      { org: organisation, role: "publisher", teams: { core: "maintainer" } },
    ]);

    await company.replica.organisations.removeMember(
      { organisation, username: member.username.toUpperCase() },
      owner.as,
    );
    await company.other.surroundings.identity.epoch.refresh();
    expect(await company.held(company.other, member)).toEqual([]);
    // What another process exchanged a moment earlier is borne with for two seconds.
    company.other.surroundings.clock.advance(2000);
    const internal = company.other.surroundings.identity.resolve(before.authorization);
    expect((await failure(internal)).kind).toBe("unavailable");
    expect(
      (await company.replica.organisations.getTeam({ organisation, name: "core" }, owner.as)).team?.members,
    ).toEqual([]);
    const again = company.replica.organisations.removeMember({ organisation, username: member.username }, owner.as);
    expect((await failure(again)).reason).toBe("MEMBER_NOT_FOUND");
  });

  it("is somebody who exists and is active", async () => {
    const [owner, gone] = [await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("publisher", owner);
    await company.replica.auth.updateUser({ username: gone.username, disabled: true }, company.folk.admin);
    for (const username of ["nobody-of-that-name", gone.username, ""]) {
      const error = await failure(
        company.replica.organisations.setMember({ organisation, username, role: "reader" }, owner.as),
      );
      expect([error.kind, error.reason]).toEqual(["invalid_argument", "UNKNOWN_USER"]);
      expect(error.fields[0]?.pointer).toBe("/username");
    }
  });

  it("that is set twice at once is one member", async () => {
    const [owner, member] = [await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("publisher", owner);
    const set = (where: Replica, role: string) =>
      where.organisations.setMember({ organisation, username: member.username, role }, owner.as);
    await Promise.all([
      set(company.replica, "reader"),
      set(company.other, "reader"),
      set(company.replica, "publisher"),
      set(company.other, "reader"),
    ]);
    const { members } = await company.replica.organisations.listMembers({ organisation }, owner.as);
    expect(members.map(({ username }) => username)).toEqual([owner.username, member.username].sort());
  });

  it("keeps its teams and since when it is one with another role", async () => {
    const [owner, member] = [await company.folk.person(), await company.folk.person()];
    const organisation = await company.founded("publisher", owner, member);
    const { organisations } = company.replica;
    await organisations.createTeam({ organisation, name: "core" }, owner.as);
    await organisations.addTeamMember({ organisation, team: "core", username: member.username }, owner.as);
    const request = { organisation, username: member.username, role: "maintainer" };
    const { member: after } = await organisations.setMember(request, owner.as);
    expect(after).toMatchObject({ role: "maintainer", teams: ["core"], userId: member.id, serviceAccount: false });
    const listed = await organisations.listMembers({ organisation }, owner.as);
    expect(listed.members).toContainEqual(after);
    const { user } = await company.replica.auth.getUser({ username: member.username }, company.folk.admin);
    expect(user?.memberships).toEqual([{ organisation, role: "maintainer", teams: ["core"] }]);
  });

  it("belongs to as many organisations and teams as a token can carry, and is told the limit", async () => {
    const [owner, member] = [await company.folk.person(), await company.folk.person()];
    const users = await company.store.documents.collection<User>({ name: "users", indexes: [] });
    const since = new Date();
    const many = (count: number, length: number) =>
      Array.from({ length: count }, (_, i) => {
        const org = `o${i}`.padEnd(length, "q");
        return { org, role: "reader", teams: { [`t${i}`]: "reader" }, since } as const;
      });
    const organisation = await company.founded("publisher", owner);
    for (const [count, length] of [
      [50, 4],
      [48, 39],
    ] as const) {
      await users.updateOne({ _id: member.id }, { $set: { memberships: many(count, length) } });
      const set = company.replica.organisations.setMember(
        { organisation, username: member.username, role: "reader" },
        owner.as,
      );
      const error = await failure(set);
      expect([error.kind, error.reason]).toEqual(["conflict", "TOO_MANY_MEMBERSHIPS"]);
    }
    await users.updateOne({ _id: member.id }, { $set: { memberships: many(48, 20) } });
    await company.replica.organisations.setMember(
      { organisation, username: member.username, role: "reader" },
      owner.as,
    );
    const { authorization } = await company.replica.surroundings.identity.resolve(`Bearer ${member.secret}`);
    expect(authorization?.length).toBeLessThan(8192);

    const teams = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`t${i}`, "reader"] as const));
    const full = [{ org: organisation, role: "reader", teams, since }] as const;
    await users.updateOne({ _id: member.id }, { $set: { memberships: full } });
    await company.replica.organisations.createTeam({ organisation, name: "one-more" }, owner.as);
    const add = company.replica.organisations.addTeamMember(
      { organisation, team: "one-more", username: member.username },
      owner.as,
    );
    expect((await failure(add)).reason).toBe("TOO_MANY_MEMBERSHIPS");
  });

  it("is one of more than a thousand, listed page by page and changed at once", async () => {
    const owner = await company.folk.person();
    const organisation = await company.founded("publisher", owner);
    await company.replica.organisations.createTeam({ organisation, name: "all", role: "maintainer" }, owner.as);
    const users = await company.store.documents.collection<User>({ name: "users", indexes: [] });
    const since = new Date();
    await users.insertNew(
      Array.from({ length: 1100 }, (_, i) => ({
        _id: 1_000_000 + i,
        username: `crowd-${String(i).padStart(4, "0")}`,
        role: "user" as const,
        grants: [],
        disabled: false,
        createdAt: since,
        memberships: [{ org: organisation, role: "reader" as const, teams: { all: "maintainer" as const }, since }],
      })),
    );
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await company.replica.organisations.listMembers(
        { organisation, page: { pageSize: 500, pageToken } },
        owner.as,
      );
      seen.push(...page.members.map(({ username }) => username));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect([seen.length, new Set(seen).size]).toEqual([1101, 1101]);
    await company.replica.organisations.updateTeam({ organisation, name: "all", role: "reader" }, owner.as);
    const left = await users.find({ memberships: { $elemMatch: { org: organisation, "teams.all": "maintainer" } } });
    expect(left).toEqual([]);
    await company.replica.organisations.deleteOrganisation({ name: organisation }, owner.as);
    expect(await users.countDocuments({ "memberships.org": organisation })).toBe(0);
  });
});
