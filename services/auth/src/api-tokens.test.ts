import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CallOptions } from "@registry/kit";
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
      () => replica.auth.createApiToken({ name: "wide" }, scoped),
      () => replica.auth.changePassword({ currentPassword: password, newPassword: "another horse" }, scoped),
      () => replica.auth.listApiTokens({}, scoped),
      () => replica.auth.revokeApiToken({ id: "x" }, scoped),
    ];
    for (const attempt of attempts) expect((await failure(attempt())).kind).toBe("permission_denied");
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

describe("a token that is bound to networks", () => {
  const networks = ["192.0.2.0/24", "2001:db8::/32"];

  it("holds from there alone, and is answered from elsewhere as any bad token is", async () => {
    const me = bearer(await login());
    const { token, secret } = await replica.auth.createApiToken({ name: "office", addresses: networks }, me);
    expect(token).toMatchObject({ addresses: networks, username: "alice", readOnly: false });
    for (const inside of ["192.0.2.7", "2001:db8:1::7"]) {
      expect((await replica.auth.getMe({}, bearer(secret, inside))).user?.id).toBe(id);
    }
    // What was exchanged a moment ago for an address counts for no other.
    for (const outside of ["192.0.3.7", "2001:db9::7", "", "not an address"]) {
      const { kind, reason, message } = await failure(replica.auth.getMe({}, bearer(secret, outside)));
      expect([kind, reason, message]).toEqual(["unauthenticated", "INVALID_CREDENTIAL", "Invalid authentication"]);
    }
    expect((await failure(exchange(secret))).message).toBe("Invalid authentication");
  });

  it("is not talked into another address by whoever calls without a service's token", async () => {
    const me = bearer(await login());
    const { secret } = await replica.auth.createApiToken({ name: "office", addresses: ["192.0.2.7"] }, me);
    const [table] = replica.service.tables;
    if (table === undefined) throw new Error("no table");
    const call = (peer: string, address: string): Promise<unknown> =>
      replica.surroundings.pipeline.unary(
        table,
        "exchangeCredential",
        { credential: secret, address },
        { authorization: undefined, peer, address, requestId: "x", timeoutMs: 5000, signal: undefined },
      );
    expect((await failure(call("198.51.100.1", "192.0.2.7"))).kind).toBe("unauthenticated");
    expect(await call("192.0.2.7", "198.51.100.1")).toMatchObject({ internalToken: expect.any(String) });
  });

  it.each([
    [["10.0.0.0/33"], "INVALID_ADDRESS", "/addresses/0"],
    [["10.0.0.1", "office"], "INVALID_ADDRESS", "/addresses/1"],
    [Array.from({ length: 21 }, (_, i) => `10.0.0.${i}`), "TOO_MANY_ADDRESSES", "/addresses"],
  ])("is refused with the field where %j is no list of networks", async (addresses, reason, pointer) => {
    const error = await failure(replica.auth.createApiToken({ name: "x", addresses }, bearer(await login())));
    expect([error.kind, error.reason, error.fields[0]?.pointer]).toEqual(["invalid_argument", reason, pointer]);
  });
});

describe("a token for reading alone", () => {
  it("carries read and download, whatever its user may, and changes nothing", async () => {
    const me = bearer(await login());
    const { token, secret } = await replica.auth.createApiToken({ name: "mirror", readOnly: true }, me);
    expect(token).toMatchObject({ readOnly: true, scopes: [] });
    const { caller } = await replica.surroundings.identity.resolve(`Bearer ${secret}`);
    expect(caller).toMatchObject({ id, scopes: ["read", "download"] });
    const reader = bearer(secret);
    expect((await failure(replica.auth.createApiToken({ name: "wide" }, reader))).kind).toBe("permission_denied");
    expect((await failure(replica.auth.beginTotp({ password }, reader))).kind).toBe("permission_denied");
    const narrow = await replica.auth.createApiToken(
      { name: "narrow", readOnly: true, scopes: ["read:@acme/*", "download:@acme/tool"] },
      me,
    );
    const resolved = await replica.surroundings.identity.resolve(`Bearer ${narrow.secret}`);
    expect(resolved.caller).toMatchObject({ scopes: ["read:@acme/*", "download:@acme/tool"] });
  });

  it.each(["publish", "*", "review", "delete_own:tool", "update:@acme/*"])(
    "takes no scope that writes: %s",
    async (scope) => {
      const request = { name: "x", readOnly: true, scopes: ["read", scope] };
      const error = await failure(replica.auth.createApiToken(request, bearer(await login())));
      expect([error.kind, error.reason]).toEqual(["invalid_argument", "INVALID_RIGHT"]);
      expect(error.fields[0]?.pointer).toBe("/scopes/1");
    },
  );

  it("is told every right that there is where one is misspelt", async () => {
    const error = await failure(replica.auth.createApiToken({ name: "x", scopes: ["reed"] }, bearer(await login())));
    for (const word of ["read,", "download", "publish", "update", "delete,", "delete_own", "review", "@namespace/*"]) {
      expect(error.message).toContain(word);
    }
  });
});

describe("tokens of a service account", () => {
  const people = { olga: "owner", marc: "maintainer" } as const;
  const logins: Record<string, CallOptions> = {};

  beforeAll(async () => {
    const { organisations } = replica;
    const admin = bearer((await readFile(join(store.folder, "admin-token"), "utf8")).trim());
    await organisations.createOrganisation({ name: "acme" }, admin);
    for (const [username, role] of Object.entries(people)) {
      const email = `${username}@example.org`;
      const { token } = await replica.auth.register({ username, email, password });
      await organisations.setMember({ organisation: "acme", username, role }, admin);
      logins[username] = bearer(token);
    }
    await organisations.createServiceAccount({ organisation: "acme", username: "acme-ci" }, admin);
    logins.alice = bearer(await login());
    logins.admin = admin;
  });

  it("are made, listed and revoked by its organisation's owners and administrators", async () => {
    for (const name of ["olga", "admin"]) {
      const { token, secret } = await replica.auth.createApiToken({ name: "ci", username: "Acme-CI" }, logins[name]);
      expect(secret).toMatch(/^acs_[\w-]{43}[0-9A-Za-z]{6}$/);
      expect(token).toMatchObject({ username: "acme-ci" });
      expect((await replica.auth.getMe({}, bearer(secret))).user).toMatchObject({
        username: "acme-ci",
        serviceAccount: true,
        organisation: "acme",
      });
      const listed = await replica.auth.listApiTokens({ username: "acme-ci" }, logins[name]);
      expect(listed.tokens.map(({ id: listedId }) => listedId)).toContain(token?.id);
      expect((await replica.auth.listApiTokens({}, logins[name])).tokens.map((t) => t.id)).not.toContain(token?.id);
      await replica.auth.revokeApiToken({ id: token?.id ?? "" }, logins[name]);
      expect((await failure(exchange(secret))).kind).toBe("unauthenticated");
    }
  });

  it("are out of reach of members without that role, of strangers, and of scoped tokens of owners", async () => {
    const { token } = await replica.auth.createApiToken({ name: "ci", username: "acme-ci" }, logins.olga);
    const attempts = (options: CallOptions | undefined): (() => Promise<unknown>)[] => [
      () => replica.auth.createApiToken({ name: "x", username: "acme-ci" }, options),
      () => replica.auth.listApiTokens({ username: "acme-ci" }, options),
    ];
    for (const attempt of attempts(logins.marc)) expect((await failure(attempt())).kind).toBe("permission_denied");
    for (const attempt of attempts(logins.alice)) expect((await failure(attempt())).reason).toBe("USER_NOT_FOUND");
    const unknown = await failure(replica.auth.listApiTokens({ username: "no-such" }, logins.alice));
    expect([unknown.kind, unknown.reason, unknown.message]).toEqual(["not_found", "USER_NOT_FOUND", "User not found"]);
    const { secret } = await replica.auth.createApiToken({ name: "scoped", scopes: ["publish"] }, logins.olga);
    for (const attempt of attempts(bearer(secret))) expect((await failure(attempt())).kind).toBe("permission_denied");
    for (const name of ["marc", "alice"]) {
      const revoke = replica.auth.revokeApiToken({ id: token?.id ?? "" }, logins[name]);
      expect((await failure(revoke)).reason).toBe("TOKEN_NOT_FOUND");
    }
  });

  it("are no way to tokens of people, for administrators either", async () => {
    const error = await failure(replica.auth.createApiToken({ name: "x", username: "alice" }, logins.admin));
    expect([error.kind, error.reason]).toEqual(["invalid_argument", "NOT_A_SERVICE_ACCOUNT"]);
    const byOwner = await failure(replica.auth.createApiToken({ name: "x", username: "alice" }, logins.olga));
    expect(byOwner.reason).toBe("USER_NOT_FOUND");
  });

  it("hold neither while it is disabled nor once it was deleted", async () => {
    const { secret } = await replica.auth.createApiToken({ name: "ci", username: "acme-ci" }, logins.olga);
    await replica.auth.updateUser({ username: "acme-ci", disabled: true }, logins.admin);
    expect((await failure(exchange(secret))).message).toBe("Invalid authentication");
    await replica.auth.updateUser({ username: "acme-ci", disabled: false }, logins.admin);
    expect((await replica.auth.getMe({}, bearer(secret))).user?.username).toBe("acme-ci");
    await replica.organisations.deleteServiceAccount({ organisation: "acme", username: "acme-ci" }, logins.admin);
    expect((await failure(exchange(secret))).kind).toBe("unauthenticated");
  });
});
