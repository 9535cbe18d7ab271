import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HeldMembership } from "../model/user.ts";
import type { Organisation } from "../organisations/model/organisation.ts";
import { followedGroups } from "../organisations/model/teams-for-groups.ts";
import { type People, type Person, people } from "../organisations/testing/people.ts";
import { bearer, openStore, type Replica, type Store, startReplica } from "../testing/harness.ts";
import { startProvider, type TestProvider, visitProvider } from "../testing/oidc-provider.ts";

let store: Store;
let provider: TestProvider;
let replica: Replica;
let all: People;
let owner: Person;

beforeAll(async () => {
  store = await openStore();
  provider = await startProvider();
  const { issuer, clientId, clientSecret } = provider;
  const oidc = { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret };
  replica = await startReplica(store, { config: { ...oidc, OIDC_SCOPES: "openid profile groups" } });
  all = await people(store, replica);
  owner = await all.person("owner");
});
afterAll(async () => {
  await replica.close();
  await provider.close();
  await store.close();
});

/** Signs in with these groups. @returns the token and what the user then is in the organisation */
async function signIn(login: string, groups: readonly string[], org: string) {
  provider.accounts.set(login, { preferred_username: login, groups });
  const redirectUri = "http://127.0.0.1/api/v1/auth/oidc/callback";
  const { authorizationUrl, sealedState } = await replica.federation.beginSignIn({ redirectUri });
  const callbackUrl = await visitProvider(authorizationUrl, login);
  const { token } = await replica.federation.finishSignIn({ callbackUrl, sealedState });
  return { token, place: await placeOf(token, org) };
}

async function placeOf(token: string, org: string) {
  const { caller } = await replica.surroundings.identity.resolve(`Bearer ${token}`);
  const memberships = caller.type === "user" ? (caller.memberships ?? []) : [];
  const own = memberships.find((membership) => membership.org === org);
  return own === undefined ? undefined : { role: own.role, teams: own.teams };
}

async function organisation(): Promise<string> {
  const name = all.name();
  const { organisations } = replica;
  await organisations.createOrganisation({ name }, owner.as);
  await organisations.createTeam(
    { organisation: name, name: "core", role: "maintainer", groups: ["devs", "leads"] },
    owner.as,
  );
  await organisations.createTeam({ organisation: name, name: "readers", role: "reader", groups: ["staff"] }, owner.as);
  await organisations.createTeam({ organisation: name, name: "by-hand", role: "publisher" }, owner.as);
  return name;
}

describe("teams that name groups of the provider", () => {
  it("are joined at a sign-in and left at the next one without the group, by earlier tokens too", async () => {
    const org = await organisation();
    const login = all.name("ann");
    const first = await signIn(login, ["devs", "staff", "strangers"], org);
    expect(first.place).toEqual({ role: "reader", teams: { core: "maintainer", readers: "reader" } });
    const second = await signIn(login, ["leads"], org);
    expect(second.place).toEqual({ role: "reader", teams: { core: "maintainer" } });
    expect(await placeOf(first.token, org)).toEqual(second.place);
    expect((await signIn(login, [], org)).place).toBeUndefined();
    expect(await placeOf(first.token, org)).toBeUndefined();
    expect((await signIn(login, ["strangers", ""], org)).place).toBeUndefined();
  });

  it("leave alone what was given by hand", async () => {
    const org = await organisation();
    const login = all.name("ben");
    await signIn(login, ["devs"], org);
    const { organisations } = replica;
    await organisations.addTeamMember({ organisation: org, team: "by-hand", username: login }, owner.as);
    expect((await signIn(login, [], org)).place).toEqual({ role: "reader", teams: { "by-hand": "publisher" } });
    await signIn(login, ["devs"], org);
    await organisations.setMember({ organisation: org, username: login, role: "publisher" }, owner.as);
    await organisations.removeTeamMember({ organisation: org, team: "by-hand", username: login }, owner.as);
    expect((await signIn(login, [], org)).place).toEqual({ role: "publisher", teams: {} });
    // Left, and then given by hand: it is no group's any more.
    await signIn(login, ["devs"], org);
    await organisations.removeTeamMember({ organisation: org, team: "core", username: login }, owner.as);
    await organisations.addTeamMember({ organisation: org, team: "core", username: login }, owner.as);
    expect((await signIn(login, [], org)).place).toEqual({ role: "publisher", teams: { core: "maintainer" } });
  });

  it("never make an owner less, nor anybody of an organisation that names no group of theirs", async () => {
    const org = await organisation();
    const login = all.name("carl");
    await signIn(login, [], org);
    await replica.organisations.setMember({ organisation: org, username: login, role: "owner" }, owner.as);
    expect((await signIn(login, ["devs"], org)).place).toEqual({ role: "owner", teams: { core: "maintainer" } });
    expect((await signIn(login, [], org)).place).toEqual({ role: "owner", teams: {} });
    expect((await signIn(all.name("dora"), ["devs"], await organisation())).place?.role).toBe("reader");
    const nobodys = all.name();
    await replica.organisations.createOrganisation({ name: nobodys }, owner.as);
    expect((await signIn(all.name("emil"), ["devs"], nobodys)).place).toBeUndefined();
  });

  it("follow changes of the team, and go with it", async () => {
    const org = await organisation();
    const login = all.name("finn");
    const { organisations } = replica;
    const { token } = await signIn(login, ["devs", "ops"], org);
    await organisations.updateTeam({ organisation: org, name: "core", groups: { groups: ["ops"] } }, owner.as);
    await organisations.updateTeam({ organisation: org, name: "readers", groups: { groups: ["devs"] } }, owner.as);
    const both = { core: "maintainer", readers: "reader" };
    expect((await signIn(login, ["devs", "ops"], org)).place).toEqual({ role: "reader", teams: both });
    await organisations.deleteTeam({ organisation: org, name: "core" }, owner.as);
    expect(await placeOf(token, org)).toEqual({ role: "reader", teams: { readers: "reader" } });
    expect((await signIn(login, ["devs", "ops"], org)).place).toEqual({ role: "reader", teams: { readers: "reader" } });
    await organisations.deleteOrganisation({ name: org }, owner.as);
    expect((await signIn(login, ["devs", "ops"], org)).place).toBeUndefined();
  });

  it("do not keep anybody out who is in more of them than fit", async () => {
    const name = all.name();
    const { organisations } = replica;
    await organisations.createOrganisation({ name }, owner.as);
    for (let i = 0; i < 51; i++) {
      await organisations.createTeam({ organisation: name, name: `team-${i}`, groups: ["crowd"] }, owner.as);
    }
    const { token, place } = await signIn(all.name("gus"), ["crowd"], name);
    expect(place).toBeUndefined();
    expect((await replica.auth.getMe({}, bearer(token))).user?.role).toBe("user");
  });
});

describe("what groups bring", () => {
  const now = new Date();
  const teamNames = ["a", "b", "c", "d"];
  const groupNames = ["g", "h", "i"];
  const organisations = fc
    .array(fc.subarray(groupNames), { minLength: teamNames.length, maxLength: teamNames.length })
    .map((groups) => ({
      _id: "acme",
      teams: teamNames.map((name, i) => ({ name, role: "publisher", groups: groups[i] ?? [] })),
    })) as unknown as fc.Arbitrary<Organisation>;

  it("is exactly the teams that name them, beside those by hand, however often groups and teams change", () => {
    const steps = fc.array(fc.record({ organisation: organisations, groups: fc.subarray(groupNames) }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(fc.subarray(teamNames), fc.boolean(), steps, (hand, isMember, visits) => {
        const teams = Object.fromEntries(hand.map((name) => [name, "publisher" as const]));
        const byHand: HeldMembership = { org: "acme", role: "reader", teams, since: now };
        let held = isMember ? byHand : undefined;
        const kept = isMember ? hand : [];
        for (const { organisation, groups } of visits) {
          held = followedGroups(held, organisation, groups, now);
          const due = organisation.teams.filter((team) => team.groups.some((group) => groups.includes(group)));
          const expected = new Set([...kept, ...due.map(({ name }) => name)]);
          expect(new Set(Object.keys(held?.teams ?? {}))).toEqual(expected);
          expect(held !== undefined).toBe(isMember || expected.size > 0);
          expect(followedGroups(held, organisation, groups, now)).toBe(held);
        }
      }),
    );
  });
});
