import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { npmZip } from "../../builders/npm.ts";
import { pluginZip } from "../../builders/plugin.ts";
import { totpCode } from "../../builders/totp.ts";
import type { Actor } from "../actors.ts";
import type { Answer } from "../http.ts";
import { operate } from "../operator.ts";
import { expectProblem } from "../shapes.ts";
import { password, type World } from "../world.ts";

const stepMs = 30_000;

/** Credentials that hold for less than their user, and what ends them. */
export function tokenStories(world: World): void {
  const me = (actor: Actor): Promise<Answer> => actor.gets("/api/v1/auth/me");
  const isOver = async (actor: Actor): Promise<void> =>
    expectProblem(await me(actor), 401, "INVALID_CREDENTIAL", "Invalid authentication");
  const holding = async (owner: Actor, scopes: readonly string[] = [], more: object = {}): Promise<Actor> => {
    const created = await owner.createsToken("story", scopes, more);
    expect([created.status, created.json()]).toMatchObject([201, { name: "story", scopes, ...more }]);
    return owner.with(created.json<{ secret: string }>().secret);
  };

  describe("tokens for less", () => {
    it("hold from the networks that they are bound to alone, on every gateway", async () => {
      const owner = await world.publisher();
      const near = await holding(owner, [], { addresses: ["127.0.0.0/8", "::1"] });
      const far = await holding(owner, [], { addresses: ["192.0.2.0/24", "2001:db8::/32"] });
      for (const token of [near, world.elsewhere(near)]) expect((await me(token)).status).toBe(200);
      for (const token of [far, world.elsewhere(far)]) await isOver(token);
      // The address of a stranger counts for nothing where no proxy is trusted.
      const claimed = await far.gets("/api/v1/auth/me", { "x-forwarded-for": "192.0.2.7" });
      expectProblem(claimed, 401, "INVALID_CREDENTIAL", "Invalid authentication");
      const wrong = await owner.createsToken("wrong", [], { addresses: ["10.0.0.0/8", "the office"] });
      expectProblem(wrong, 400, "INVALID_ADDRESS");
      expect(wrong.json()).toMatchObject({ errors: [{ pointer: "/addresses/1" }] });
    });

    it("read and download alone, whatever their user may", async () => {
      const owner = await world.publisher();
      const name = world.name("shelf");
      expect((await owner.publishes(pluginZip({ name }), { fields: { visibility: "private" } })).status).toBe(201);
      const reader = await holding(owner, [], { read_only: true });
      expect((await reader.reads(name)).status).toBe(200);
      expect((await reader.fetches(name, "1.0.0")).status).toBe(200);
      const attempts = [
        await reader.publishes(pluginZip({ name, version: "1.1.0" })),
        await reader.updates(name, { title: "x" }),
        await reader.yanks(name, "1.0.0"),
        await reader.deletes(name),
        await reader.createsToken("wider"),
        await reader.sends("POST", "/api/v1/auth/totp", { password }),
      ];
      for (const attempt of attempts) expectProblem(attempt, 403, "PERMISSION_DENIED", "Permission denied");
      expectProblem(await owner.createsToken("x", ["publish"], { read_only: true }), 400, "INVALID_RIGHT");
    });

    it("publish to one namespace and no other", async () => {
      const [ours, theirs] = [world.name("ours"), world.name("theirs")];
      for (const name of [ours, theirs]) expect((await world.admin.createsOrganisation({ name })).status).toBe(201);
      const scoped = await holding(world.admin, [`publish:@${ours}/*`]);
      expect((await scoped.publishes(npmZip({ name: `@${ours}/tool` }))).status).toBe(201);
      for (const name of [`@${theirs}/tool`, world.name("tool")]) {
        expectProblem(await scoped.publishes(npmZip({ name })), 403, "PERMISSION_DENIED", "Permission denied");
      }
      expectProblem(await scoped.gets("/api/v1/users"), 403, "PERMISSION_DENIED");
    });

    it("lose nothing of what was asked for by a misspelt word", async () => {
      const owner = await world.publisher();
      const answer = await owner.sends("POST", "/api/v1/tokens", { name: "x", readonly: true });
      expectProblem(answer, 400, "INVALID_BODY");
      expect(answer.json()).toMatchObject({ errors: [{ pointer: "/readonly" }] });
    });

    it("end on every gateway when they are revoked on one", async () => {
      const owner = await world.publisher();
      const created = await owner.createsToken("gone soon");
      const { id, secret } = created.json<{ id: string; secret: string }>();
      const token = owner.with(secret);
      for (const at of [token, world.elsewhere(token)]) expect((await me(at)).status).toBe(200);
      expect((await owner.request("DELETE", `/api/v1/tokens/${id}`)).status).toBe(204);
      await isOver(token);
      await world.soon(() => isOver(world.elsewhere(token)));
    });
  });

  describe("a second factor", () => {
    it("is asked for at the login once it was confirmed, and each code is taken once", async () => {
      const user = await world.user("ida");
      const begun = await user.sends("POST", "/api/v1/auth/totp", { password });
      expect([begun.status, begun.headers.get("cache-control")]).toEqual([200, "no-store"]);
      const { secret, uri } = begun.json<{ secret: string; uri: string }>();
      expect(uri).toMatch(/^otpauth:\/\/totp\//);
      const shows = (steps: number): string => totpCode(secret, new Date(Date.now() + steps * stepMs));
      expect((await user.sends("PUT", "/api/v1/auth/totp", { code: shows(-1) })).status).toBe(204);
      expect((await me(user)).json()).toMatchObject({ totp_enabled: true });

      const { anonymous } = world;
      const logsIn = (otp?: string) => anonymous.logsIn(user.username, password, otp);
      expectProblem(await logsIn(), 401, "OTP_REQUIRED");
      expectProblem(await anonymous.logsIn(user.username, "not the password", shows(0)), 401, "INVALID_CREDENTIAL");
      const code = shows(0);
      const once = await logsIn(code);
      expect([once.status, once.json()]).toMatchObject([200, { user: { totp_enabled: true } }]);
      expectProblem(await world.elsewhere(anonymous).logsIn(user.username, password, code), 401, "INVALID_CREDENTIAL");
      const disable = (body: object) => user.sends("DELETE", "/api/v1/auth/totp", body);
      expectProblem(await disable({ password: "not the password", code: shows(1) }), 403, "WRONG_PASSWORD");
      expect((await disable({ password, code: shows(1) })).status).toBe(204);
      expect((await logsIn()).status).toBe(200);
    });

    it("is taken by the operator from somebody who has lost it", async () => {
      const user = await world.user("jon");
      const begun = await user.sends("POST", "/api/v1/auth/totp", { password });
      const code = totpCode(begun.json<{ secret: string }>().secret, new Date());
      expect((await user.sends("PUT", "/api/v1/auth/totp", { code })).status).toBe(204);
      expectProblem(await world.anonymous.logsIn(user.username, password), 401, "OTP_REQUIRED");
      const { stack } = world;
      const reset = ["admin", "reset-totp", user.username, "--json"];
      const intruder = await operate(stack, reset, { SECRET_KEY: "a secret of somebody else, long enough" });
      expect([intruder.code, intruder.err]).toEqual([1, expect.stringContaining("another SECRET_KEY")]);
      const { code: exit, out } = await operate(stack, reset);
      expect([exit, JSON.parse(out)]).toEqual([0, { username: user.username, totp: false }]);
      expect((await world.anonymous.logsIn(user.username, password)).status).toBe(200);
      const again = await operate(stack, reset);
      expect([again.code, again.err]).toEqual([1, expect.stringContaining("no second factor")]);
      const nobody = await operate(stack, ["admin", "reset-totp", world.name("nobody")]);
      expect([nobody.code, nobody.err]).toEqual([1, "User not found\n"]);
    });
  });

  describe("a report of leaked secrets", () => {
    it("by anybody ends what holds, everywhere, and tells nothing back but hashes", async () => {
      const owner = await world.publisher();
      const token = await holding(owner);
      const { token: login } = (await owner.anonymously.logsIn(owner.username, password)).json<{ token: string }>();
      const leaked = [token.token ?? "", "acr_not-one-of-ours", login];
      for (const at of [token, world.elsewhere(token)]) expect((await me(at)).status).toBe(200);
      // Scanners bring credentials of their own, which are none here.
      const scanner = world.anonymous.with("a-scanner-of-somebody-else");
      const secrets = leaked.map((secret) => ({ token: secret, url: "https://example.org/x", type: "t", source: "s" }));
      const answer = await scanner.sends("POST", "/api/v1/secret-report", secrets);
      const hashes = leaked.map((secret) => createHash("sha256").update(secret).digest("hex"));
      expect([answer.status, answer.json()]).toEqual([
        200,
        { results: hashes.map((token_sha256, index) => ({ token_sha256, revoked: index !== 1 })) },
      ]);
      await isOver(token.at(scanner.gateway));
      await world.soon(async () => {
        await isOver(token);
        await isOver(world.elsewhere(token));
        await isOver(owner.with(login));
      });
      const wrapped = await scanner.sends("POST", "/api/v1/secret-report", { secrets: [{ token: leaked[0] }] });
      expect(wrapped.json()).toEqual({ results: [{ token_sha256: hashes[0], revoked: false }] });
      expect((await me(owner)).status).toBe(200);
    });

    it("is refused where it is not as it has to be, without an echo", async () => {
      const { anonymous } = world;
      const bodies: readonly (readonly [unknown, string])[] = [
        [[], ""],
        [{ secrets: [{ token: "" }] }, "/secrets/0/token"],
        [[{ token: "acr_leaked", place: "x" }], "/0/place"],
        [{ secrets: [{ token: "acr_leaked", url: 7 }] }, "/secrets/0/url"],
        [{ tokens: ["acr_leaked"] }, "/secrets"],
        ["acr_leaked", ""],
      ];
      for (const [body, pointer] of bodies) {
        const answer = await anonymous.sends("POST", "/api/v1/secret-report", body);
        expectProblem(answer, 400, "INVALID_BODY");
        expect(answer.json<{ errors: { pointer: string }[] }>().errors.map((each) => each.pointer)).toContain(pointer);
        expect(answer.text).not.toContain("leaked");
      }
    });
  });

  it("publishes no keys while tokens are signed with the registry's secret", async () => {
    for (const path of ["/api/v1/auth/jwks", "/.well-known/jwks.json"]) {
      const answer = await world.anonymous.gets(path);
      expect([answer.status, answer.json()]).toEqual([200, { keys: [] }]);
      expect(answer.headers.get("cache-control")).toBe("public, max-age=300");
    }
    expectProblem(await world.admin.request("POST", "/api/v1/auth/jwks/rotate"), 409, "NO_SIGNING_KEYS");
    const user = await world.user();
    expectProblem(await user.request("POST", "/api/v1/auth/jwks/rotate"), 403, "PERMISSION_DENIED");
  });
}
