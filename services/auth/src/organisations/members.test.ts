import type { Membership } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { User } from "../model/user.ts";
import { failure, openStore, type Replica, type Store, startReplica } from "../testing/harness.ts";
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
