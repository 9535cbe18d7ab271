import { describe, expect, it } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import type { Actor } from "../actors.ts";
import { expectProblem } from "../shapes.ts";
import { password, type World } from "../world.ts";

const day = 24 * 60 * 60;

/** What a signed token says, without looking at its signature, as any client may. */
function claimsOf(token: string): { user_id: number; username: string; exp: number } {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

export function accountStories(world: World): void {
  const isOver = async (actor: Actor): Promise<void> => {
    expectProblem(await actor.gets("/api/v1/auth/me"), 401, "INVALID_CREDENTIAL", "Invalid authentication");
  };
  /** The change was answered by one gateway: there at once, on the others within seconds. */
  const isOverEverywhere = async (actor: Actor): Promise<void> => {
    await isOver(actor);
    await world.soon(() => isOver(world.elsewhere(actor)));
  };

  describe("accounts", () => {
    it("are not for the taking where registration is closed", async () => {
      const request = { username: world.name("guest"), email: "guest@example.org", password };
      const answer = await world.anonymous.sends("POST", "/api/v1/auth/register", request);
      expectProblem(answer, 403, "REGISTRATION_CLOSED");
      expectProblem(await world.anonymous.logsIn(request.username, password), 401, "INVALID_CREDENTIAL");
    });

    it("log in for a token of thirty days that says who holds it", async () => {
      const user = await world.user("ann");
      const answer = await user.anonymously.logsIn(user.username, password);
      expect(answer.status).toBe(200);
      const session = answer.json<{ token: string; expires_at: string; user: { id: number } }>();
      expect(session).toMatchObject({
        token_type: "bearer",
        user: { id: expect.any(Number), username: user.username, role: "user", grants: [], disabled: false },
      });
      expect(Number.isInteger(session.user.id)).toBe(true);
      const claims = claimsOf(session.token);
      expect(claims).toMatchObject({ user_id: session.user.id, username: user.username });
      expect(Math.abs(claims.exp - (Date.now() / 1000 + 30 * day))).toBeLessThan(600);
      expect(new Date(session.expires_at).getTime()).toBe(claims.exp * 1000);
      const me = await user.with(session.token).gets("/api/v1/auth/me");
      expect(me.json()).toEqual(session.user);
      const byMail = await user.anonymously.logsIn(`${user.username}@example.org`.toUpperCase(), password);
      expect(byMail.status).toBe(200);
    });

    it("do not open for a wrong password, and do not say who exists", async () => {
      const user = await world.user("bob");
      const wrong = await world.anonymous.logsIn(user.username, "not the password");
      const nobody = await world.anonymous.logsIn(world.name("nobody"), "not the password");
      expectProblem(wrong, 401, "INVALID_CREDENTIAL", "Invalid authentication");
      expectProblem(nobody, 401, "INVALID_CREDENTIAL", "Invalid authentication");
      expect(wrong.headers.get("www-authenticate")).toBe("Bearer");
    });

    it("end a token by logging out", async () => {
      const user = await world.user("cat");
      expect((await world.elsewhere(user).gets("/api/v1/auth/me")).status).toBe(200);
      expect((await user.request("POST", "/api/v1/auth/logout")).status).toBe(204);
      await isOverEverywhere(user);
      expect((await user.anonymously.logsIn(user.username, password)).status).toBe(200);
    });

    it("change a password, which ends the tokens that were issued before", async () => {
      const user = await world.user("dan");
      const change = { current_password: password, new_password: "quite another password" };
      const wrong = { ...change, current_password: "wrong" };
      expectProblem(await user.sends("PUT", "/api/v1/auth/password", wrong), 403, "WRONG_PASSWORD");
      expect((await user.sends("PUT", "/api/v1/auth/password", change)).status).toBe(204);
      await isOverEverywhere(user);
      expectProblem(await user.anonymously.logsIn(user.username, password), 401, "INVALID_CREDENTIAL");
      expect((await user.anonymously.logsIn(user.username, change.new_password)).status).toBe(200);
    });

    it("make tokens for programs, list them without their secrets, and revoke them everywhere", async () => {
      const publisher = await world.publisher();
      const created = await publisher.createsToken("ci");
      expect(created.status).toBe(201);
      const { id, secret } = created.json<{ id: string; secret: string }>();
      const program = publisher.with(secret);
      expect((await program.gets("/api/v1/auth/me")).json()).toMatchObject({ username: publisher.username });
      expect((await world.elsewhere(program).gets("/api/v1/auth/me")).status).toBe(200);
      expect((await program.publishes(pluginZip({ name: world.name("ci") }))).status).toBe(201);

      const listed = await publisher.gets("/api/v1/tokens");
      expect(listed.json()).toMatchObject({ tokens: [{ id, name: "ci", scopes: [], hint: secret.slice(0, 8) }] });
      expect(listed.text).not.toContain(secret);
      const other = await world.publisher();
      expectProblem(await other.request("DELETE", `/api/v1/tokens/${id}`), 404, "TOKEN_NOT_FOUND");
      expect((await publisher.request("DELETE", `/api/v1/tokens/${id}`)).status).toBe(204);
      await isOverEverywhere(program);
    });

    it("hold tokens to their scopes", async () => {
      const publisher = await world.publisher();
      const [mine, other] = [world.name("mine"), world.name("other")];
      const { secret } = (await publisher.createsToken("scoped", [`publish:${mine}`])).json<{ secret: string }>();
      const scoped = publisher.with(secret);
      expect((await scoped.publishes(pluginZip({ name: mine }))).status).toBe(201);
      expectProblem(await scoped.publishes(pluginZip({ name: other })), 403, "PERMISSION_DENIED", "Permission denied");
      expectProblem(await scoped.updates(mine, { title: "x" }), 403, "PERMISSION_DENIED");
      expectProblem(await scoped.deletes(mine), 403, "PERMISSION_DENIED");
      expectProblem(await scoped.createsToken("wider"), 403, "PERMISSION_DENIED");
      expectProblem(await publisher.createsToken("wrong", ["fly"]), 400, "INVALID_RIGHT");
    });

    it("grant a user the right to publish one name, and take it back", async () => {
      const user = await world.user("eve");
      const name = world.name("granted");
      expectProblem(await user.publishes(pluginZip({ name })), 403, "PERMISSION_DENIED");
      const changed = await world.admin.changesUser(user.username, { grants: [`publish:${name}`] });
      expect(changed.json()).toMatchObject({ username: user.username, grants: [`publish:${name}`] });
      await world.soon(async () => expect((await user.publishes(pluginZip({ name }))).status).toBe(201));
      expectProblem(await user.publishes(pluginZip({ name: world.name("others") })), 403, "PERMISSION_DENIED");
      expect((await world.admin.changesUser(user.username, { grants: [] })).status).toBe(200);
      await world.soon(async () => {
        expectProblem(await user.publishes(pluginZip({ name, version: "1.1.0" })), 403, "PERMISSION_DENIED");
      });
    });

    it("are managed by administrators alone, one of whom always remains", async () => {
      const user = await world.publisher("fay");
      const refused = await user.createsUser({ username: world.name("x"), password, role: "admin" });
      expectProblem(refused, 403, "PERMISSION_DENIED", "Permission denied");
      expectProblem(await user.gets("/api/v1/users"), 403, "PERMISSION_DENIED");
      expectProblem(await user.changesUser(user.username, { role: "admin" }), 403, "PERMISSION_DENIED");
      expectProblem(await world.anonymous.gets("/api/v1/users"), 401, "INVALID_CREDENTIAL");
      expectProblem(await world.admin.changesUser("admin", { role: "user" }), 409, "LAST_ADMIN");
      const taken = await world.admin.sends("POST", "/api/v1/users", {
        username: user.username.toUpperCase(),
        email: `${world.name("fay")}@example.org`,
        password,
      });
      expectProblem(taken, 409, "USERNAME_TAKEN");
      expectProblem(await world.admin.gets("/api/v1/users/no-such-user"), 404, "USER_NOT_FOUND", "User not found");
      expect((await world.admin.gets(`/api/v1/users/${user.username}`)).json()).toMatchObject({ role: "publisher" });

      expect((await world.admin.changesUser(user.username, { disabled: true })).json()).toMatchObject({
        disabled: true,
      });
      await world.soon(() => isOver(user));
      expectProblem(await user.anonymously.logsIn(user.username, password), 401, "INVALID_CREDENTIAL");
    });

    it("take no roles or ids from those who make them", async () => {
      const username = world.name("gus");
      const user = { username, email: `${username}@example.org`, password, role: "publisher" };
      for (const more of [{ id: 1 }, { disabled: true }, { totp_enabled: true }, { memberships: [] }]) {
        expectProblem(await world.admin.sends("POST", "/api/v1/users", { ...user, ...more }), 400, "INVALID_BODY");
      }
      const created = await world.admin.sends("POST", "/api/v1/users", user);
      expect(created.json()).toMatchObject({ role: "publisher", disabled: false });
      for (const more of [{ id: 1 }, { username: "admin" }, { created_at: "2020-01-01T00:00:00Z" }]) {
        expectProblem(await world.admin.changesUser(username, more), 400, "INVALID_BODY");
      }
    });
  });
}
