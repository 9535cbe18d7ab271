import { describe, expect, it } from "vitest";
import type { Actor } from "../actors.ts";
import { expectProblem, problemOf } from "../shapes.ts";
import { password, type World } from "../world.ts";

/** Every way to ask for an organisation or to change something of it. */
const asks: readonly ((actor: Actor, org: string) => Promise<unknown>)[] = [
  async (actor, org) => problemOf(await actor.gets(`/api/v1/orgs/${org}`)),
  async (actor, org) => problemOf(await actor.sends("PATCH", `/api/v1/orgs/${org}`, { title: "Mine" })),
  async (actor, org) => problemOf(await actor.request("DELETE", `/api/v1/orgs/${org}`)),
  async (actor, org) => problemOf(await actor.gets(`/api/v1/orgs/${org}/members`)),
  async (actor, org) => problemOf(await actor.setsMember(org, actor.username, "owner")),
  async (actor, org) => problemOf(await actor.removesMember(org, actor.username)),
  async (actor, org) => problemOf(await actor.gets(`/api/v1/orgs/${org}/teams`)),
  async (actor, org) => problemOf(await actor.createsTeam(org, { name: "core" })),
  async (actor, org) => problemOf(await actor.gets(`/api/v1/orgs/${org}/teams/core`)),
  async (actor, org) => problemOf(await actor.sends("PATCH", `/api/v1/orgs/${org}/teams/core`, { role: "maintainer" })),
  async (actor, org) => problemOf(await actor.request("DELETE", `/api/v1/orgs/${org}/teams/core`)),
  async (actor, org) => problemOf(await actor.addsToTeam(org, "core", actor.username)),
  async (actor, org) => problemOf(await actor.request("DELETE", `/api/v1/orgs/${org}/teams/core/members/x`)),
  async (actor, org) => problemOf(await actor.gets(`/api/v1/orgs/${org}/service-accounts`)),
  async (actor, org) => problemOf(await actor.createsServiceAccount(org, "robot")),
  async (actor, org) => problemOf(await actor.request("DELETE", `/api/v1/orgs/${org}/service-accounts/robot`)),
];

export function organisationStories(world: World): void {
  const founded = async (owner: Actor): Promise<string> => {
    const org = world.name("acme");
    expect((await owner.createsOrganisation({ name: org, title: "Acme" })).status).toBe(201);
    return org;
  };
  const memberships = async (actor: Actor) =>
    (await actor.gets("/api/v1/auth/me")).json<{ memberships: object[] }>().memberships;

  describe("organisations", () => {
    it("are created by publishers, who own them from the next answer on", async () => {
      const [owner, user] = [await world.publisher("founder"), await world.user("reader")];
      const org = world.name("acme");
      expectProblem(await user.createsOrganisation({ name: org }), 403, "ORGANISATION_CREATION_DENIED");
      const created = await owner.createsOrganisation({ name: org, title: "Acme Inc.", description: "Makers" });
      expect(created.status).toBe(201);
      expect(created.json()).toMatchObject({ name: org, title: "Acme Inc.", description: "Makers", own_role: "owner" });
      expect((await owner.gets(`/api/v1/orgs/${org}`)).json()).toEqual(created.json());
      const changed = await owner.sends("PATCH", `/api/v1/orgs/${org}`, { title: "Acme" });
      expect(changed.json()).toMatchObject({ title: "Acme", description: "Makers" });
      expect((await owner.gets("/api/v1/orgs")).json()).toEqual({
        organisations: [changed.json()],
        next_cursor: null,
      });
      expect(await memberships(owner)).toEqual([{ organisation: org, role: "owner", teams: [] }]);
      expectProblem(await owner.createsOrganisation({ name: org }), 409, "NAME_TAKEN");
      expectProblem(await owner.createsOrganisation({ name: owner.username }), 409, "NAME_TAKEN");
      const mistyped = await owner.sends("POST", "/api/v1/orgs", { name: world.name("acme"), titel: "x" });
      expectProblem(mistyped, 400, "INVALID_BODY");
      const taken = await world.admin.createsUser({ username: org, password, role: "user" });
      expectProblem(taken, 409, "USERNAME_TAKEN");
    });

    it("do not exist for those who are no members, in whatever way they ask", async () => {
      const [owner, stranger] = [await world.publisher("owner"), await world.publisher("stranger")];
      const org = await founded(owner);
      await owner.createsTeam(org, { name: "core" });
      for (const ask of asks) {
        const unknown = await ask(stranger, "never-was-there");
        expect(unknown).toMatchObject({ status: 404, code: "ORGANISATION_NOT_FOUND" });
        expect(await ask(stranger, org)).toEqual(unknown);
      }
      expect((await stranger.gets("/api/v1/orgs")).json()).toMatchObject({ organisations: [] });
      expectProblem(await stranger.gets("/api/v1/orgs?all=true"), 403, "PERMISSION_DENIED");
      expectProblem(await world.anonymous.gets(`/api/v1/orgs/${org}`), 401, "INVALID_CREDENTIAL");
      expect((await world.admin.gets(`/api/v1/orgs/${org}`)).json()).toMatchObject({ name: org, own_role: null });
      const all = await world.admin.gets("/api/v1/orgs?all=true&limit=500");
      expect(all.json<{ organisations: object[] }>().organisations).toContainEqual(
        expect.objectContaining({ name: org }),
      );
    });

    it("have members and teams, and who is removed has no right left on any gateway", async () => {
      const [owner, member] = [await world.publisher("owner"), await world.user("member")];
      const org = await founded(owner);
      expectProblem(await owner.setsMember(org, world.name("nobody"), "reader"), 400, "UNKNOWN_USER");
      expectProblem(await owner.setsMember(org, member.username, "king"), 400, "INVALID_BODY");
      const added = await owner.setsMember(org, member.username, "publisher");
      expect(added.json()).toMatchObject({ username: member.username, role: "publisher", teams: [] });
      expect(
        (await owner.createsTeam(org, { name: "core", role: "maintainer", groups: ["eng"] })).json(),
      ).toMatchObject({
        ...{ name: "core", role: "maintainer", groups: ["eng"], members: [], description: "" },
      });
      const joined = await owner.addsToTeam(org, "core", member.username);
      expect(joined.json()).toMatchObject({ members: [member.username] });
      await world.soon(async () => {
        expect(await memberships(member)).toEqual([{ organisation: org, role: "publisher", teams: ["core"] }]);
      });
      const listed = await member.gets(`/api/v1/orgs/${org}/members`);
      expect(listed.json<{ members: object[] }>().members).toHaveLength(2);
      expectProblem(await member.setsMember(org, member.username, "owner"), 403, "PERMISSION_DENIED");
      expectProblem(await owner.removesMember(org, owner.username), 409, "LAST_OWNER");

      expect((await owner.removesMember(org, member.username)).status).toBe(204);
      for (const actor of [member, world.elsewhere(member)]) {
        await world.soon(async () => {
          expect(await memberships(actor)).toEqual([]);
          expectProblem(await actor.gets(`/api/v1/orgs/${org}`), 404, "ORGANISATION_NOT_FOUND");
        });
      }
      expect((await owner.gets(`/api/v1/orgs/${org}/teams/core`)).json()).toMatchObject({ members: [] });
      expect((await owner.request("DELETE", `/api/v1/orgs/${org}/teams/core`)).status).toBe(204);
      expect((await owner.gets(`/api/v1/orgs/${org}/teams`)).json()).toEqual({ teams: [] });
    });

    it("have service accounts, which log in nowhere and end with their organisation", async () => {
      const owner = await world.publisher("owner");
      const [org, robot, second] = [await founded(owner), world.name("robot"), world.name("robot")];
      const created = await owner.createsServiceAccount(org, robot);
      expect(created.status).toBe(201);
      expect(created.json()).toMatchObject({
        user: { username: robot, service_account: true, organisation: org, totp_enabled: false },
        member: { username: robot, role: "publisher", service_account: true },
      });
      await owner.createsServiceAccount(org, second);
      const listed = await owner.gets(`/api/v1/orgs/${org}/service-accounts?limit=1`);
      const [first] = [robot, second].sort();
      expect(listed.json()).toMatchObject({ service_accounts: [{ username: first }], next_cursor: first });
      expectProblem(await world.anonymous.logsIn(robot, password), 401, "INVALID_CREDENTIAL");
      expectProblem(await world.admin.changesUser(robot, { role: "admin" }), 400, "SERVICE_ACCOUNT");
      expect((await owner.request("DELETE", `/api/v1/orgs/${org}/service-accounts/${robot}`)).status).toBe(204);
      expectProblem(await owner.createsServiceAccount(org, robot), 409, "USERNAME_TAKEN");

      expect((await owner.request("DELETE", `/api/v1/orgs/${org}`)).status).toBe(204);
      expectProblem(await owner.gets(`/api/v1/orgs/${org}`), 404, "ORGANISATION_NOT_FOUND");
      expect((await world.admin.gets(`/api/v1/users/${second}`)).json()).toMatchObject({
        disabled: true,
        memberships: [],
      });
      expectProblem(await owner.createsOrganisation({ name: org }), 409, "NAME_TAKEN");
    });
  });

  it("grants are permissions by another name", async () => {
    const user = await world.user("named");
    const rights = ["publish:some-name"];
    const changed = await world.admin.changesUser(user.username, { permissions: rights });
    expect(changed.json()).toMatchObject({ grants: rights, permissions: rights });
    const both = await world.admin.changesUser(user.username, { permissions: [], grants: rights });
    expectProblem(both, 400, "INVALID_BODY");
    expect((await world.admin.gets(`/api/v1/users/${user.username}`)).json()).toEqual(changed.json());
  });
}
