import { describe, expect, it, vi } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import { missing } from "../../servers/index.ts";
import type { Actor } from "../actors.ts";
import { callGrpc } from "../grpcurl.ts";
import { sha256 } from "../http.ts";
import { expectProblem, namesIn, problemOf } from "../shapes.ts";
import { type World, withinMs } from "../world.ts";

const base = (name: string): string => name.slice(name.indexOf("/") + 1);

/** Publishes below a namespace what its format gives a bare name. */
function publishes(actor: Actor, name: string, version = "1.0.0", fields: Record<string, string> = {}) {
  return actor.publishes(pluginZip({ name: base(name), version, tags: [base(name)] }), { fields: { name, ...fields } });
}

/** Every way to read of a plugin, its bytes included. */
const readings: readonly ((actor: Actor, name: string) => Promise<number>)[] = [
  async (actor, name) => (await actor.reads(name)).status,
  async (actor, name) => (await actor.gets(`/api/v1/plugins/${name}/versions`)).status,
  async (actor, name) => (await actor.gets(`/api/v1/plugins/${name}/versions/1.0.0/readme`)).status,
  async (actor, name) => (await actor.asksForUrl(name)).status,
  async (actor, name) => (await actor.downloads(name, "1.0.0")).status,
  async (actor, name) => (await actor.gets(`/plugins/${name}/1.0.0/${base(name)}-1.0.0.zip`)).status,
  async (actor, name) => (await actor.gets(`/api/v1/plugins/${name}/channels`)).status,
  async (actor, name) => (await actor.gets(`/api/v1/analytics/plugins/${name}`)).status,
];

async function statuses(actor: Actor, name: string): Promise<number[]> {
  return [...new Set(await Promise.all(readings.map((read) => read(actor, name))))];
}

export function ownershipStories(world: World): void {
  const founded = async (owner: Actor): Promise<string> => {
    const org = world.name("acme");
    expect((await owner.createsOrganisation({ name: org })).status).toBe(201);
    return org;
  };
  const joined = async (owner: Actor, org: string, role: string): Promise<Actor> => {
    const member = await world.user("member");
    expect((await owner.setsMember(org, member.username, role)).status).toBe(200);
    return member;
  };
  const lists = async (actor: Actor, name: string): Promise<boolean[]> => {
    const query = base(name);
    const answers = [
      await actor.finds({ query }),
      await actor.finds({ tags: query }),
      await actor.searches({ q: query }),
    ];
    return answers.map((answer) => namesIn(answer).includes(name));
  };

  describe("what an organisation owns", () => {
    it("is published to its namespace by its members alone, and is everybody's there when it is public", async () => {
      const owner = await world.publisher("owner");
      const org = await founded(owner);
      const [maker, stranger] = [await joined(owner, org, "publisher"), await world.publisher("stranger")];
      const name = `@${org}/${world.name("tool")}`;
      const published = await publishes(maker, name);
      expect([published.status, published.json()]).toEqual([201, expect.objectContaining({ plugin: name })]);
      expect((await maker.reads(name)).json()).toMatchObject({ owner: org, owner_type: "organisation" });
      await world.soon(async () => expect(await lists(world.anonymous, name)).toEqual([true, true, true]));
      for (const attempt of [`@${org}/${world.name("mine")}`, `@${world.name("nobody")}/mine`]) {
        expectProblem(await publishes(stranger, attempt), 403, "PERMISSION_DENIED", "Permission denied");
      }
      const taken = await stranger.publishes(pluginZip({ name: base(name), version: "9.0.0" }), { fields: { name } });
      expectProblem(taken, 403, "PERMISSION_DENIED");
      const plain = world.name("plain");
      expect((await maker.publishes(pluginZip({ name: plain }), { fields: { owner: org } })).status).toBe(201);
      expect((await maker.reads(plain)).json()).toMatchObject({ name: plain, owner: org });
    });

    it("is seen by its team alone where it is for a team", async () => {
      const owner = await world.publisher("owner");
      const org = await founded(owner);
      const [inside, outside] = [await joined(owner, org, "reader"), await joined(owner, org, "maintainer")];
      expect((await owner.createsTeam(org, { name: "core", role: "publisher" })).status).toBe(201);
      expect((await owner.addsToTeam(org, "core", inside.username)).status).toBe(200);
      const name = `@${org}/${world.name("kernel")}`;
      expect((await publishes(inside, name, "1.0.0", { visibility: "team", team: "core" })).status).toBe(201);
      expect((await inside.reads(name)).json()).toMatchObject({ visibility: "team", team: "core" });
      for (const actor of [inside, owner]) expect(await statuses(actor, name)).toEqual([200]);
      for (const actor of [outside, world.anonymous, await world.publisher("stranger")]) {
        expect(await statuses(actor, name)).toEqual([404]);
        expect(await problemOf(await actor.reads(name))).toEqual(problemOf(await actor.reads("does-not-exist")));
        expect(await lists(actor, name)).toEqual([false, false, false]);
      }
      const gone = await owner.request("DELETE", `/api/v1/orgs/${org}/teams/core`);
      expect(gone.status).toBe(204);
      await vi.waitFor(async () => expect(await statuses(world.elsewhere(inside), name)).toEqual([404]), {
        timeout: withinMs,
        interval: 50,
      });
    });

    it("is lost on every replica within five seconds to a member who was removed", async () => {
      const owner = await world.publisher("owner");
      const org = await founded(owner);
      const member = await joined(owner, org, "publisher");
      const { secret } = (await member.createsToken("ci")).json<{ secret: string }>();
      const name = `@${org}/${world.name("vault")}`;
      expect((await publishes(member, name, "1.0.0", { visibility: "private" })).status).toBe(201);
      const everywhere = [member, member.with(secret)].flatMap((actor) => [actor, world.elsewhere(actor)]);
      for (const actor of everywhere) expect(await statuses(actor, name)).toEqual([200]);

      const asked = performance.now();
      expect((await owner.removesMember(org, member.username)).status).toBe(204);
      await vi.waitFor(
        async () => {
          for (const actor of everywhere) {
            expect(await statuses(actor, name)).toEqual([404]);
            expect(await lists(actor, name)).toEqual([false, false, false]);
          }
        },
        { timeout: withinMs - (performance.now() - asked), interval: 50 },
      );
      if (!missing("grpcurl")) {
        for (const address of world.stack.grpc.catalog) {
          const called = await callGrpc(address, "registry.catalog.v1.CatalogService/GetPlugin", { name }, secret);
          expect([called.code, called.reason]).toEqual(["NotFound", "PLUGIN_NOT_FOUND"]);
        }
      }
      for (const actor of everywhere) expectProblem(await publishes(actor, name, "1.1.0"), 403, "PERMISSION_DENIED");
      expect(await statuses(owner, name)).toEqual([200]);
    });
  });

  describe("a plugin's owner", () => {
    it("gives single users a role on it, and takes it back at once", async () => {
      const [owner, helper] = [await world.publisher("owner"), await world.user("helper")];
      const name = world.name("shop");
      await owner.publishes(pluginZip({ name }), { fields: { visibility: "private" } });
      const role = (json: object) => owner.sends("PUT", `/api/v1/plugins/${name}/owners/${helper.username}`, json);
      expectProblem(await role({ role: "king" }), 400, "INVALID_BODY");
      expect((await role({ role: "publisher" })).json()).toEqual({
        owners: [
          { type: "user", name: owner.username, role: "owner" },
          { type: "user", name: helper.username, role: "publisher" },
        ],
      });
      await world.soon(async () => expect((await helper.reads(name)).status).toBe(200));
      const next = pluginZip({ name, version: "1.1.0" });
      expect((await helper.publishes(next)).status).toBe(201);
      expectProblem(await helper.updates(name, { visibility: "public" }), 403, "PERMISSION_DENIED");
      const taken = await owner.request("DELETE", `/api/v1/plugins/${name}/owners/${helper.username}`);
      expect(taken.status).toBe(200);
      await world.soon(async () => expectProblem(await helper.reads(name), 404, "PLUGIN_NOT_FOUND"));
      expectProblem(await helper.publishes(pluginZip({ name, version: "1.2.0" })), 403, "PERMISSION_DENIED");
    });

    it("hands it to an organisation and has no more to say then", async () => {
      const [owner, giver] = [await world.publisher("owner"), await world.publisher("giver")];
      const org = await founded(owner);
      const name = world.name("gift");
      const zip = pluginZip({ name });
      await giver.publishes(zip, { fields: { visibility: "private" } });
      const transfer = () =>
        giver.sends("POST", `/api/v1/plugins/${name}/transfer`, { owner: org, owner_type: "organisation" });
      expectProblem(await transfer(), 403, "PERMISSION_DENIED");
      expect((await owner.setsMember(org, giver.username, "publisher")).status).toBe(200);
      await vi.waitFor(async () => expect((await transfer()).status).toBe(200), { timeout: withinMs, interval: 50 });
      expect((await owner.removesMember(org, giver.username)).status).toBe(204);
      await world.soon(async () => expect((await giver.reads(name)).status).toBe(404));
      const { download_url: url } = (await owner.asksForUrl(name)).json<{ download_url: string }>();
      expect(sha256((await world.anonymous.gets(url)).bytes)).toBe(sha256(zip));
    });
  });
}
