import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import { describe, expect, it, vi } from "vitest";
import { pluginZip } from "../builders/plugin.ts";
import type { Answer } from "./http.ts";
import { expectProblem } from "./shapes.ts";
import { countedWithinMs, createWorld, password } from "./world.ts";

describe("a registry that is open for registration", () => {
  const world = createWorld("embedded", {
    REGISTRATION: "open",
    REGISTRATION_ROLE: "publisher",
    RATE_LIMIT_WRITES: "0",
  });

  it("lets anybody become a user, once for each name, and never an administrator", async () => {
    const { anonymous } = world;
    const username = world.name("newcomer");
    const request = { username, email: `${username}@example.org`, password, role: "admin" };
    const answer = await anonymous.sends("POST", "/api/v1/auth/register", request);
    expect(answer.status).toBe(201);
    const session = answer.json<{ token: string }>();
    expect(session).toMatchObject({ token_type: "bearer", user: { username, role: "publisher" } });
    const newcomer = anonymous.with(session.token);
    expect((await newcomer.publishes(pluginZip({ name: world.name("first") }))).status).toBe(201);
    expectProblem(await newcomer.gets("/api/v1/users"), 403, "PERMISSION_DENIED");
    const again = await anonymous.sends("POST", "/api/v1/auth/register", { ...request, email: "other@example.org" });
    expectProblem(again, 409, "USERNAME_TAKEN");
    const short = { ...request, username: world.name("short"), password: "short" };
    expectProblem(await anonymous.sends("POST", "/api/v1/auth/register", short), 400, "INVALID_PASSWORD");
  });
});

describe("a registry that asks for a credential on every read", () => {
  const world = createWorld("embedded", { ANONYMOUS_READ: "false", REGISTRY_NAME: "Inner Registry" });

  it("shows nothing to anonymous callers but that it is well", async () => {
    const publisher = await world.publisher();
    const name = world.name("walled");
    expect((await publisher.publishes(pluginZip({ name }))).status).toBe(201);
    const paths = [
      "/",
      "/api/v1/plugins",
      "/api/v1/plugins/all",
      "/api/v1/search",
      `/api/v1/plugins/${name}`,
      `/api/v1/plugins/${name}/versions`,
      `/api/v1/plugins/${name}/download`,
      `/api/v1/plugins/${name}/download/1.0.0`,
      `/plugins/${name}/1.0.0/${name}-1.0.0.zip`,
      "/api/v1/analytics/popular",
      "/api/v1/analytics/metrics",
    ];
    const user = await world.user();
    for (const path of paths) {
      const refused = await world.anonymous.gets(path);
      expect([path, refused.status]).toEqual([path, 401]);
      expectProblem(refused, 401, "INVALID_CREDENTIAL");
      expect([path, (await user.gets(path)).status]).toEqual([path, 200]);
      expect([path, (await world.anonymous.gets(path)).status]).toEqual([path, 401]);
    }
    expect((await user.gets("/")).json()).toMatchObject({ name: "Inner Registry", plugins_count: 1 });
    for (const path of ["/health", "/ready"]) expect((await world.anonymous.gets(path)).status).toBe(200);
    expect((await user.fetches(name, "1.0.0")).status).toBe(200);
    const counted = 'registry_plugin_downloads_total{plugin="_private",version=""}';
    const metrics = async (): Promise<string> => (await world.anonymous.gets("/metrics")).text;
    await vi.waitFor(async () => expect(await metrics()).toContain(counted), countedWithinMs);
    expect(await metrics()).not.toContain(name);
  });
});

describe("a registry that signs with keys of its own", () => {
  const world = createWorld("embedded", { JWT_ALGORITHM: "EdDSA", JWT_ISSUER: "https://registry.example.org" });

  it("publishes them, goes on taking tokens of the one before, and says who issued them", async () => {
    const user = await world.user();
    const keys = async () => (await world.anonymous.gets("/.well-known/jwks.json")).json<JSONWebKeySet>();
    const issuer = "https://registry.example.org";
    const options = { issuer, audience: issuer, algorithms: ["EdDSA"] };
    const verify = async (token = "") => (await jwtVerify(token, createLocalJWKSet(await keys()), options)).payload;
    expect(await verify(user.token)).toMatchObject({ username: user.username });
    const rotated = await world.admin.request("POST", "/api/v1/auth/jwks/rotate");
    const { kid } = rotated.json<{ kid: string }>();
    expect((await keys()).keys.map((key) => key.kid)).toEqual([kid, expect.any(String)]);
    const { token } = (await user.anonymously.logsIn(user.username, password)).json<{ token: string }>();
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: "EdDSA", kid });
    for (const each of [user.token ?? "", token]) {
      expect((await user.with(each).gets("/api/v1/auth/me")).json()).toMatchObject({ username: user.username });
      expect(await verify(each)).toMatchObject({ username: user.username });
    }
  });
});

describe("a registry with limits", () => {
  const world = createWorld("embedded", {
    RATE_LIMIT_LOGINS: "5",
    RATE_LIMIT_FAILED_CREDENTIALS: "5",
    RATE_LIMIT_WRITES: "8",
    TRUSTED_PROXIES: "127.0.0.1",
  });

  it("slows down those who guess passwords or tokens, or change too much, and nobody else", async () => {
    const writes = await inTurn(12, (i) => world.admin.createsToken(`token ${i}`));
    // One more than two windows let in: a story may begin in the last second of one.
    const logins = await inTurn(11, (i) => world.anonymous.logsIn("admin", `guess number ${i}`));
    const guesses = await inTurn(11, (i) => world.anonymous.with(`guess${i}`).gets("/api/v1/plugins"));
    const first = (answers: readonly Answer[], count: number) => answers.slice(0, count).map(({ status }) => status);
    expect(first(writes, 8)).toEqual(Array(8).fill(201));
    expect(first(logins, 5)).toEqual(Array(5).fill(401));
    expect(first(guesses, 5)).toEqual(Array(5).fill(401));
    for (const answers of [writes, logins, guesses]) {
      const refused = answers.find(({ status }) => status === 429);
      if (refused === undefined) throw new Error(`none refused: ${first(answers, answers.length)}`);
      expectProblem(refused, 429, "RATE_LIMITED");
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect((await world.anonymous.gets("/api/v1/plugins")).status).toBe(200);
    expect((await world.admin.gets("/api/v1/auth/me")).status).toBe(200);
  });

  it("counts each caller behind a trusted proxy for itself, and lets tokens in from their networks alone", async () => {
    const behind = (address: string) => ({ "x-forwarded-for": address });
    const guess = (address: string) => world.anonymous.with("guess").gets("/api/v1/plugins", behind(address));
    const over = await inTurn(11, () => guess("192.0.2.7"));
    expect(over.some(({ status }) => status === 429)).toBe(true);
    expect((await guess("192.0.2.8")).status).toBe(401);
    await vi.waitFor(
      async () => {
        const created = await world.admin.createsToken("office", [], { addresses: ["198.51.100.0/24"] });
        expect(created.status).toBe(201);
        const office = world.anonymous.with(created.json<{ secret: string }>().secret);
        expect((await office.gets("/api/v1/auth/me", behind("198.51.100.7"))).status).toBe(200);
        const outside = await office.gets("/api/v1/auth/me", behind("203.0.113.7"));
        expectProblem(outside, 401, "INVALID_CREDENTIAL", "Invalid authentication");
      },
      { timeout: 30_000, interval: 1000 },
    );
  });
});

async function inTurn(count: number, ask: (index: number) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let index = 0; index < count; index += 1) answers.push(await ask(index));
  return answers;
}
