import type { Membership } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { User } from "../model/user.ts";
import { bearer, failure, openStore, type Replica, type Store, startReplica } from "../testing/harness.ts";
import { type People, type Person, people } from "./testing/people.ts";

let store: Store;
let replica: Replica;
let other: Replica;
let folk: People;

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

async function founded(...[owner, ...members]: readonly [Person, ...Person[]]): Promise<string> {
  const name = folk.name();
  await replica.organisations.createOrganisation({ name }, owner.as);
  for (const { username } of members) {
    await replica.organisations.setMember({ organisation: name, username, role: "publisher" }, owner.as);
  }
  return name;
}

/** What the next exchange of the person's credential says. */
async function held(where: Replica, { secret }: Person): Promise<readonly Membership[]> {
  const { caller } = await where.surroundings.identity.resolve(`Bearer ${secret}`);
  return caller.type === "user" ? (caller.memberships ?? []) : [];
}

describe("a member", () => {
  it("that is removed on one replica is none on the other, where its internal token has ended", async () => {
    const [owner, member] = [await folk.person(), await folk.person()];
    const organisation = await founded(owner, member);
    await replica.organisations.createTeam({ organisation, name: "core", role: "maintainer" }, owner.as);
    await replica.organisations.addTeamMember({ organisation, team: "core", username: member.username }, owner.as);
    await other.surroundings.identity.epoch.refresh();
    const before = await other.surroundings.identity.resolve(`Bearer ${member.secret}`);
    expect(await held(other, member)).toEqual([
      { org: organisation, role: "publisher", teams: { core: "maintainer" } },
    ]);

    await replica.organisations.removeMember({ organisation, username: member.username.toUpperCase() }, owner.as);
    await other.surroundings.identity.epoch.refresh();
    expect(await held(other, member)).toEqual([]);
    // What another process exchanged a moment earlier is borne with for two seconds.
    other.surroundings.clock.advance(2000);
    const internal = other.surroundings.identity.resolve(before.authorization);
    expect((await failure(internal)).kind).toBe("unauthenticated");
    expect((await replica.organisations.getTeam({ organisation, name: "core" }, owner.as)).team?.members).toEqual([]);
    const again = replica.organisations.removeMember({ organisation, username: member.username }, owner.as);
    expect((await failure(again)).reason).toBe("MEMBER_NOT_FOUND");
  });

  it("is somebody who exists and is active", async () => {
    const [owner, gone] = [await folk.person(), await folk.person()];
    const organisation = await founded(owner);
    await replica.auth.updateUser({ username: gone.username, disabled: true }, folk.admin);
    for (const username of ["nobody-of-that-name", gone.username, ""]) {
      const error = await failure(
        replica.organisations.setMember({ organisation, username, role: "reader" }, owner.as),
      );
      expect([error.kind, error.reason]).toEqual(["invalid_argument", "UNKNOWN_USER"]);
      expect(error.fields[0]?.pointer).toBe("/username");
    }
  });

  it("that is set twice at once is one member", async () => {
    const [owner, member] = [await folk.person(), await folk.person()];
    const organisation = await founded(owner);
    const set = (where: Replica, role: string) =>
      where.organisations.setMember({ organisation, username: member.username, role }, owner.as);
    await Promise.all([set(replica, "reader"), set(other, "reader"), set(replica, "publisher"), set(other, "reader")]);
    const { members } = await replica.organisations.listMembers({ organisation }, owner.as);
    expect(members.map(({ username }) => username)).toEqual([owner.username, member.username].sort());
  });

  it("keeps its teams and since when it is one with another role", async () => {
    const [owner, member] = [await folk.person(), await folk.person()];
    const organisation = await founded(owner, member);
    const { organisations } = replica;
    await organisations.createTeam({ organisation, name: "core" }, owner.as);
    await organisations.addTeamMember({ organisation, team: "core", username: member.username }, owner.as);
    const request = { organisation, username: member.username, role: "maintainer" };
    const { member: after } = await organisations.setMember(request, owner.as);
    expect(after).toMatchObject({ role: "maintainer", teams: ["core"], userId: member.id, serviceAccount: false });
    const listed = await organisations.listMembers({ organisation }, owner.as);
    expect(listed.members).toContainEqual(after);
    const { user } = await replica.auth.getUser({ username: member.username }, folk.admin);
    expect(user?.memberships).toEqual([{ organisation, role: "maintainer", teams: ["core"] }]);
  });

  it("belongs to as many organisations and teams as a token can carry, and is told the limit", async () => {
    const [owner, member] = [await folk.person(), await folk.person()];
    const users = await store.documents.collection<User>({ name: "users", indexes: [] });
    const since = new Date();
    const many = (count: number, length: number) =>
      Array.from({ length: count }, (_, i) => {
        const org = `o${i}`.padEnd(length, "q");
        return { org, role: "reader", teams: { [`t${i}`]: "reader" }, since } as const;
      });
    const organisation = await founded(owner);
    for (const [count, length] of [
      [50, 4],
      [48, 39],
    ] as const) {
      await users.updateOne({ _id: member.id }, { $set: { memberships: many(count, length) } });
      const set = replica.organisations.setMember(
        { organisation, username: member.username, role: "reader" },
        owner.as,
      );
      const error = await failure(set);
      expect([error.kind, error.reason]).toEqual(["conflict", "TOO_MANY_MEMBERSHIPS"]);
    }
    await users.updateOne({ _id: member.id }, { $set: { memberships: many(48, 20) } });
    await replica.organisations.setMember({ organisation, username: member.username, role: "reader" }, owner.as);
    const { authorization } = await replica.surroundings.identity.resolve(`Bearer ${member.secret}`);
    expect(authorization?.length).toBeLessThan(8192);

    const teams = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`t${i}`, "reader"] as const));
    const full = [{ org: organisation, role: "reader", teams, since }] as const;
    await users.updateOne({ _id: member.id }, { $set: { memberships: full } });
    await replica.organisations.createTeam({ organisation, name: "one-more" }, owner.as);
    const add = replica.organisations.addTeamMember(
      { organisation, team: "one-more", username: member.username },
      owner.as,
    );
    expect((await failure(add)).reason).toBe("TOO_MANY_MEMBERSHIPS");
  });

  it("is one of more than a thousand, listed page by page and changed at once", async () => {
    const owner = await folk.person();
    const organisation = await founded(owner);
    await replica.organisations.createTeam({ organisation, name: "all", role: "maintainer" }, owner.as);
    const users = await store.documents.collection<User>({ name: "users", indexes: [] });
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
      const page = await replica.organisations.listMembers(
        { organisation, page: { pageSize: 500, pageToken } },
        owner.as,
      );
      seen.push(...page.members.map(({ username }) => username));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect([seen.length, new Set(seen).size]).toEqual([1101, 1101]);
    await replica.organisations.updateTeam({ organisation, name: "all", role: "reader" }, owner.as);
    const left = await users.find({ memberships: { $elemMatch: { org: organisation, "teams.all": "maintainer" } } });
    expect(left).toEqual([]);
    await replica.organisations.deleteOrganisation({ name: organisation }, owner.as);
    expect(await users.countDocuments({ "memberships.org": organisation })).toBe(0);
  });
});

describe("a team", () => {
  it("gives its role to its members, also after it has changed, and nothing once it is deleted", async () => {
    const [owner, member] = [await folk.person(), await folk.person()];
    const organisation = await founded(owner, member);
    const { organisations } = replica;
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
      expect(await held(replica, member)).toEqual([{ org: organisation, role: "publisher", teams: { core: role } }]);
    }
    const texts = { description: "Other", groups: { groups: [] } };
    const { team } = await organisations.updateTeam({ organisation, name: "core", ...texts }, owner.as);
    expect(team).toMatchObject({ description: "Other", groups: [], role: "publisher" });

    await organisations.deleteTeam({ organisation, name: "core" }, owner.as);
    expect(await held(replica, member)).toEqual([{ org: organisation, role: "publisher", teams: {} }]);
    expect((await failure(organisations.deleteTeam({ organisation, name: "core" }, owner.as))).reason).toBe(
      "TEAM_NOT_FOUND",
    );
    expect((await organisations.listTeams({ organisation }, member.as)).teams).toEqual([]);
  });

  it("never leaves a right behind, however adding, lowering and deleting meet on two replicas", async () => {
    const [owner, member] = [await folk.person(), await folk.person()];
    const organisation = await founded(owner, member);
    for (let round = 0; round < 8; round++) {
      const name = `team${round}`;
      await replica.organisations.createTeam({ organisation, name, role: "maintainer" }, owner.as);
      await Promise.allSettled([
        other.organisations.addTeamMember({ organisation, team: name, username: member.username }, owner.as),
        round % 2 === 0
          ? replica.organisations.deleteTeam({ organisation, name }, owner.as)
          : replica.organisations.updateTeam({ organisation, name, role: "reader" }, owner.as),
      ]);
      const { teams } = await replica.organisations.listTeams({ organisation }, owner.as);
      const shown = Object.fromEntries(
        teams.filter(({ members }) => members.includes(member.username)).map((team) => [team.name, team.role]),
      );
      expect((await held(replica, member))[0]?.teams).toEqual(shown);
    }
  });

  it("is one of at most a hundred", async () => {
    const owner = await folk.person();
    const organisation = await founded(owner);
    const create = (i: number) => replica.organisations.createTeam({ organisation, name: `team${i}` }, owner.as);
    for (let i = 0; i < 100; i += 10) await Promise.all(Array.from({ length: 10 }, (_, j) => create(i + j)));
    expect((await failure(create(100))).reason).toBe("TOO_MANY_TEAMS");
    expect((await failure(create(7))).reason).toBe("TEAM_EXISTS");
    const bad = { organisation, name: "wrong_name" };
    expect((await failure(replica.organisations.createTeam(bad, owner.as))).reason).toBe("INVALID_TEAM");
    const tall = { organisation, name: "tall", role: "owner" };
    expect((await failure(replica.organisations.createTeam(tall, owner.as))).reason).toBe("INVALID_ROLE");
    const groups = { organisation, name: "groups", groups: ["ok", "x".repeat(201)] };
    const error = await failure(replica.organisations.createTeam(groups, owner.as));
    expect([error.reason, error.fields[0]?.pointer]).toEqual(["INVALID_GROUP", "/groups/1"]);
  });
});

describe("a service account", () => {
  it("works by its tokens for one organisation alone, logs in nowhere, and ends whole", async () => {
    const [owner, stranger] = [await folk.person(), await folk.person()];
    const [organisation, foreign] = [await founded(owner), await founded(stranger)];
    const { organisations, auth } = replica;
    const username = folk.name("robot");
    const { user, member } = await organisations.createServiceAccount({ organisation, username }, owner.as);
    expect(user).toMatchObject({ username, email: "", role: "user", serviceAccount: true, organisation });
    expect(member).toMatchObject({ username, role: "publisher", serviceAccount: true });
    expect((await failure(auth.login({ username, password: "any password" }))).kind).toBe("unauthenticated");

    for (const [change, field] of [
      [{ role: "admin" }, "role"],
      [{ password: "a long password" }, "password"],
      [{ email: "robot@example.org" }, "email"],
    ] as const) {
      const error = await failure(auth.updateUser({ username, ...change }, folk.admin));
      expect([error.reason, error.fields[0]?.pointer]).toEqual(["SERVICE_ACCOUNT", `/${field}`]);
    }
    const owning = organisations.setMember({ organisation, username, role: "owner" }, owner.as);
    expect((await failure(owning)).reason).toBe("INVALID_ROLE");
    const elsewhere = organisations.setMember({ organisation: foreign, username, role: "reader" }, stranger.as);
    expect((await failure(elsewhere)).reason).toBe("UNKNOWN_USER");
    const removing = organisations.removeMember({ organisation, username }, owner.as);
    expect((await failure(removing)).reason).toBe("SERVICE_ACCOUNT");
    const role = { organisation, username, role: "maintainer" };
    expect((await organisations.setMember(role, owner.as)).member?.role).toBe("maintainer");

    await organisations.deleteServiceAccount({ organisation, username }, owner.as);
    await organisations.deleteServiceAccount({ organisation, username }, owner.as);
    expect((await auth.getUser({ username }, folk.admin)).user).toMatchObject({ disabled: true, memberships: [] });
    const revived = auth.updateUser({ username, disabled: false }, folk.admin);
    expect((await failure(revived)).reason).toBe("SERVICE_ACCOUNT");
    const again = organisations.createServiceAccount({ organisation, username }, owner.as);
    expect((await failure(again)).reason).toBe("USERNAME_TAKEN");
    const person = organisations.deleteServiceAccount({ organisation, username: owner.username }, owner.as);
    expect((await failure(person)).reason).toBe("SERVICE_ACCOUNT_NOT_FOUND");
  });

  it("makes no organisation and loses its tokens with it", async () => {
    const owner = await folk.person();
    const organisation = await founded(owner);
    const username = folk.name("robot");
    const { user } = await replica.organisations.createServiceAccount({ organisation, username }, owner.as);
    const open = await startReplica(store, { config: { ORGANISATION_CREATION: "users" } });
    const robot = open.surroundings.as({ type: "user", id: user?.id ?? 0, username, role: "user", grants: [] });
    const { secret } = await open.auth.createApiToken({ name: "ci" }, robot);
    const created = open.organisations.createOrganisation({ name: folk.name() }, bearer(secret));
    expect((await failure(created)).reason).toBe("ORGANISATION_CREATION_DENIED");
    expect(
      (await open.organisations.getOrganisation({ name: organisation }, bearer(secret))).organisation?.ownRole,
    ).toBe("publisher");
    await open.organisations.deleteServiceAccount({ organisation, username }, owner.as);
    expect((await failure(open.auth.getMe({}, bearer(secret)))).kind).toBe("unauthenticated");
    const tokens = await store.documents.collection<{ _id: string }>({ name: "tokens", indexes: [] });
    expect(await tokens.countDocuments({ userId: user?.id ?? 0 })).toBe(0);
    await open.close();
  });
});
