import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer, failure, openStore, type Replica, type Store, startReplica } from "./testing/harness.ts";

let store: Store;
let replica: Replica;
let id: number;
const password = "correct horse";

beforeAll(async () => {
  store = await openStore();
  replica = await startReplica(store);
  id = (await replica.auth.register({ username: "alice", email: "alice@example.org", password })).user?.id ?? 0;
});
afterAll(async () => {
  await replica.close();
  await store.close();
});

const exchange = (credential: string): Promise<unknown> => replica.auth.exchangeCredential({ credential });
const login = async (): Promise<string> => (await replica.auth.login({ username: "alice", password })).token;

describe("API tokens", () => {
  it("are shown once, kept as a hash, listed with a hint and told when they were used", async () => {
    const me = bearer(await login());
    const { token, secret } = await replica.auth.createApiToken(
      { name: " ci ", scopes: ["publish:my-plugin"], expiresInDays: 7 },
      me,
    );
    expect(secret).toMatch(/^acr_[\w-]{43}[0-9A-Za-z]{6}$/);
    expect(token).toMatchObject({ name: "ci", scopes: ["publish:my-plugin"], hint: secret.slice(0, 8) });
    const raw = await store.documents.collection<{ _id: string }>({ name: "tokens", indexes: [] });
    expect(JSON.stringify(await raw.find({}))).not.toContain(secret.slice(8));
    const { caller } = await replica.surroundings.identity.resolve(`Bearer ${secret}`);
    expect(caller).toMatchObject({ id, scopes: ["publish:my-plugin"] });
    const listed = (await replica.auth.listApiTokens({}, me)).tokens.find(({ id: tokenId }) => tokenId === token?.id);
    expect(listed?.lastUsedAt).toBeInstanceOf(Date);
    await replica.auth.revokeApiToken({ id: token?.id ?? "" }, me);
    expect((await failure(exchange(secret))).kind).toBe("unauthenticated");
    expect((await failure(replica.auth.revokeApiToken({ id: token?.id ?? "" }, me))).reason).toBe("TOKEN_NOT_FOUND");
  });

  it("with scopes make no tokens, change no password and read no list", async () => {
    const me = bearer(await login());
    const scoped = bearer((await replica.auth.createApiToken({ name: "narrow", scopes: ["read"] }, me)).secret);
    const attempts = [
      replica.auth.createApiToken({ name: "wide" }, scoped),
      replica.auth.changePassword({ currentPassword: password, newPassword: "another horse" }, scoped),
      replica.auth.listApiTokens({}, scoped),
      replica.auth.revokeApiToken({ id: "x" }, scoped),
    ];
    for (const attempt of attempts) expect((await failure(attempt)).kind).toBe("permission_denied");
    expect((await replica.auth.getMe({}, scoped)).user?.id).toBe(id);
  });

  it("are nobody else's to revoke, and end by themselves", async () => {
    const me = bearer(await login());
    const stranger = await replica.auth.register({ username: "mallory", email: "m@example.org", password });
    const { token, secret } = await replica.auth.createApiToken({ name: "day", expiresInDays: 1 }, me);
    const attempt = replica.auth.revokeApiToken({ id: token?.id ?? "" }, bearer(stranger.token));
    expect((await failure(attempt)).reason).toBe("TOKEN_NOT_FOUND");
    expect((await replica.auth.getMe({}, bearer(secret))).user?.id).toBe(id);
    replica.surroundings.clock.advance(2 * 86_400_000);
    expect((await failure(exchange(secret))).kind).toBe("unauthenticated");
  });

  it.each([
    [{ name: "" }, "INVALID_TOKEN_NAME"],
    [{ name: "x".repeat(65) }, "INVALID_TOKEN_NAME"],
    [{ scopes: ["everything"] }, "INVALID_RIGHT"],
    [{ scopes: Array.from({ length: 65 }, (_, i) => `read:p${i}`) }, "TOO_MANY_RIGHTS"],
    [{ expiresInDays: -1 }, "INVALID_EXPIRY"],
    [{ expiresInDays: 3651 }, "INVALID_EXPIRY"],
  ])("refuse %j", async (change, reason) => {
    const error = await failure(replica.auth.createApiToken({ name: "x", ...change }, bearer(await login())));
    expect([error.kind, error.reason]).toEqual(["invalid_argument", reason]);
  });
});
