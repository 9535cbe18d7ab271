import { describe, expect, it } from "vitest";
import type { BuildSystem } from "../../../services/auth/src/testing/build-system.ts";
import { type TestProvider, visitProvider } from "../../../services/auth/src/testing/oidc-provider.ts";
import { pluginZip } from "../../builders/plugin.ts";
import type { Actor } from "../actors.ts";
import type { Answer } from "../http.ts";
import { expectProblem } from "../shapes.ts";
import type { World } from "../world.ts";

interface Session {
  readonly token: string;
  readonly return_to: string | null;
  readonly user: { readonly username: string; readonly role: string };
}

export function federationStories(world: World, provider: TestProvider, builds: BuildSystem): void {
  /** A browser's cookie and the address that the provider sent it back to. */
  const goAndComeBack = async (login: string, returnTo = ""): Promise<{ path: string; cookie: string }> => {
    const begun = await world.anonymous.gets(`/api/v1/auth/oidc/login?${new URLSearchParams({ return_to: returnTo })}`);
    expect(begun.status).toBe(302);
    const cookie = begun.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const callback = await visitProvider(begun.headers.get("location") ?? "", login);
    expect(new URL(callback).origin).toBe(world.anonymous.gateway);
    return { path: callback, cookie };
  };
  const signIn = async (login: string, returnTo?: string): Promise<Session> => {
    const { path, cookie } = await goAndComeBack(login, returnTo);
    const answer = await world.anonymous.gets(path, { cookie });
    expect(answer.status, answer.text).toBe(200);
    return answer.json<Session>();
  };

  describe("people of the company", () => {
    it("sign in with its provider and publish under their own name", async () => {
      const username = world.name("ann");
      provider.accounts.set("s-ann", { preferred_username: username, email: "ann@acme.example", email_verified: true });
      expect((await world.anonymous.gets("/api/v1/auth/oidc")).json()).toEqual({
        oidc: true,
        name: "Sign in with Acme",
        trusted_issuers: [builds.issuer],
        trusted_audience: "agenticraft-registry",
        registration_open: false,
      });
      const session = await signIn("s-ann", "/ui/#tokens");
      expect(session).toMatchObject({
        token_type: "bearer",
        return_to: "/ui/#tokens",
        user: { username, email: "ann@acme.example", role: "publisher" },
      });
      const ann = world.anonymous.with(session.token);
      const name = world.name("federated");
      expect((await ann.publishes(pluginZip({ name }))).status).toBe(201);
      expect((await ann.reads(name)).json()).toMatchObject({ owner: username });
    });

    it("are administrators while a group says so", async () => {
      const account = { preferred_username: world.name("chief"), groups: ["registry-admins"] };
      provider.accounts.set("s-chief", account);
      const chief = world.anonymous.with((await signIn("s-chief")).token);
      expect((await chief.gets("/api/v1/users")).status).toBe(200);
      provider.accounts.set("s-chief", { ...account, groups: [] });
      expect((await signIn("s-chief")).user.role).toBe("publisher");
      expectProblem(await chief.gets("/api/v1/users"), 403, "PERMISSION_DENIED");
    });

    it("come in by their own browser, once, and go nowhere else", async () => {
      const { path, cookie } = await goAndComeBack("s-ann");
      const refused = (answer: Answer): void =>
        expectProblem(answer, 401, "INVALID_CREDENTIAL", "Invalid authentication");
      refused(await world.anonymous.gets(path));
      refused(await world.anonymous.gets(path, { cookie: cookie.slice(0, -8) }));
      refused(await world.anonymous.gets(path, { cookie: (await goAndComeBack("s-chief")).cookie }));
      refused(await world.anonymous.gets(path.replace(/state=[^&]*/, "state=x"), { cookie }));
      expect((await world.anonymous.gets(path, { cookie })).status).toBe(200);
      refused(await world.anonymous.gets(path, { cookie }));
      for (const target of ["//evil.example", "https://evil.example", "/\\evil.example"]) {
        const query = new URLSearchParams({ return_to: target });
        const answer = await world.anonymous.gets(`/api/v1/auth/oidc/login?${query}`);
        expectProblem(answer, 400, "INVALID_RETURN_TO");
        expect(answer.headers.getSetCookie()).toEqual([]);
      }
    });
  });

  describe("a workflow of the build system", () => {
    const claims = { repository_id: "4711", repository_owner_id: "42" };
    let runs = 0;
    const idToken = (change: object = {}): Promise<string> => {
      const now = Math.floor(Date.now() / 1000);
      const subject = { sub: "repo:acme/tools:ref:refs/heads/main", repository: "acme/tools", ...claims };
      const life = { iat: now, exp: now + 300, jti: `run-${++runs}` };
      return builds.mint({ iss: builds.issuer, aud: "agenticraft-registry", ...subject, ...life, ...change });
    };
    const trusts = (actor: Actor, plugin: string, change: object = {}): Promise<Answer> =>
      actor.sends("POST", "/api/v1/trusted-publishers", { plugin, issuer: builds.issuer, claims, ...change });
    const trades = async (plugin: string, change?: object): Promise<Answer> =>
      world.anonymous.sends("POST", "/api/v1/auth/oidc/token", { id_token: await idToken(change), plugin });

    it("publishes a plugin that was not there before, with no secret but its ID token", async () => {
      const publisher = await world.publisher();
      const name = world.name("built");
      const trusted = await trusts(publisher, name);
      expect(trusted.status).toBe(201);
      const { id } = trusted.json<{ id: string }>();

      const traded = await trades(name);
      expect(traded.status).toBe(200);
      expect(traded.json()).toEqual({
        token: expect.stringMatching(/^acp_/),
        expires_at: expect.any(String),
        plugin: name,
        publishes_as: publisher.username,
      });
      const workflow = world.anonymous.with(traded.json<{ token: string }>().token);
      expect((await workflow.publishes(pluginZip({ name }))).status).toBe(201);
      expect((await world.anonymous.reads(name)).json()).toMatchObject({ owner: publisher.username });
      const other = await workflow.publishes(pluginZip({ name: world.name("other") }));
      expectProblem(other, 403, "PERMISSION_DENIED");
      expectProblem(await workflow.deletes(name), 403, "PERMISSION_DENIED");
      expectProblem(await workflow.createsToken("wider"), 403, "PERMISSION_DENIED");

      const listed = await publisher.gets(`/api/v1/trusted-publishers?plugin=${name}`);
      expect(listed.json()).toMatchObject({
        trusted_publishers: [{ id, plugin: name, claims, publishes_as: publisher.username }],
      });
      const strangers = await (await world.publisher()).gets(`/api/v1/trusted-publishers?plugin=${name}`);
      expect(strangers.json()).toEqual({ trusted_publishers: [] });
      expect((await publisher.request("DELETE", `/api/v1/trusted-publishers/${id}`)).status).toBe(204);
      const late = await workflow.publishes(pluginZip({ name, version: "1.1.0" }));
      expectProblem(late, 401, "INVALID_CREDENTIAL");
      expectProblem(await trades(name), 401, "INVALID_CREDENTIAL");
    });

    it("is no other repository, not even one of the same name, and comes once", async () => {
      const publisher = await world.publisher();
      const name = world.name("strict");
      expect((await trusts(publisher, name)).status).toBe(201);
      for (const change of [{ repository_id: "1" }, { repository_owner_id: "1" }, { aud: "x" }, { jti: undefined }]) {
        expectProblem(await trades(name, change), 401, "INVALID_CREDENTIAL", "Invalid authentication");
      }
      expect((await trades(name, { jti: "once" })).status).toBe(200);
      expectProblem(await trades(name, { jti: "once" }), 401, "INVALID_CREDENTIAL", "Invalid authentication");
    });

    it("has no more rights than whoever trusts it", async () => {
      const reader = await world.user();
      const name = world.name("unrightful");
      expect((await trusts(reader, name)).status).toBe(201);
      const workflow = world.anonymous.with((await trades(name)).json<{ token: string }>().token);
      expectProblem(await workflow.publishes(pluginZip({ name })), 403, "PERMISSION_DENIED");
      expect((await world.admin.changesUser(reader.username, { disabled: true })).status).toBe(200);
      expectProblem(await workflow.publishes(pluginZip({ name })), 401, "INVALID_CREDENTIAL");
    });

    it("is known by ids and not by names", async () => {
      const byName = await trusts(await world.publisher(), world.name("named"), {
        claims: { repository: "acme/tools" },
      });
      expectProblem(byName, 400, "UNSTABLE_CLAIMS");
      expect(byName.json()).toMatchObject({ detail: expect.stringContaining("add repository_id") });
    });
  });
}
