import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CallOptions } from "@registry/kit";
import { SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { BuildSystem, createBuildKey } from "../testing/build-system.ts";
import { forgeUnsigned } from "../testing/forge.ts";
import { bearer, failure, openStore, type Replica, type Store, startReplica } from "../testing/harness.ts";

const password = "correct horse battery";
const audience = "agenticraft-registry";

let store: Store;
let builds: BuildSystem;
let replica: Replica;
let admin: CallOptions;
let ann: CallOptions;
let ben: CallOptions;

const configFor = (...issuers: string[]) => ({ config: { TRUSTED_ISSUERS: issuers } });

beforeAll(async () => {
  store = await openStore();
  builds = await BuildSystem.start();
  replica = await startReplica(store, configFor(builds.issuer));
  admin = bearer((await readFile(join(store.folder, "admin-token"), "utf8")).trim());
  [ann, ben] = (await Promise.all(["ann", "ben"].map(newUser))) as [CallOptions, CallOptions];
});
afterAll(async () => {
  await replica.close();
  await builds.close();
  await store.close();
});
afterEach(() => {
  builds.discovery = {};
});

/** A replica beside the first one, whose clock shows the same. */
async function anotherReplica(issuer = builds.issuer): Promise<Replica> {
  const other = await startReplica(store, configFor(issuer));
  const { clock } = other.surroundings;
  clock.advance(replica.surroundings.clock.now().getTime() - clock.now().getTime());
  return other;
}

async function newUser(username: string): Promise<CallOptions> {
  await replica.auth.createUser({ username, role: "publisher", password }, admin);
  return bearer((await replica.auth.login({ username, password })).token);
}

let made = 0;
const nextName = (stem: string): string => `${stem}-${++made}`;

const repository = { repository_id: "4711", repository_owner_id: "42", ref: "refs/heads/main" };

const create = (plugin: string, as: CallOptions = ann, change: object = {}) =>
  replica.federation.createTrustedPublisher({ plugin, issuer: builds.issuer, claims: repository, ...change }, as);

const seconds = (offset = 0): number => Math.floor(replica.surroundings.clock.now().getTime() / 1000) + offset;

/** What a workflow of that repository is given. */
const workflow = (change: object = {}): Record<string, unknown> => ({
  iss: builds.issuer,
  aud: audience,
  sub: "repo:acme/tools:ref:refs/heads/main",
  iat: seconds(),
  exp: seconds(300),
  jti: `jti-${++made}`,
  repository: "acme/tools",
  ...repository,
  ...change,
});

const exchange = (idToken: string, plugin: string, { federation } = replica) =>
  federation.exchangeIdToken({ idToken, plugin });

async function refuses(idToken: string, plugin: string): Promise<void> {
  const error = await failure(exchange(idToken, plugin));
  expect([error.kind, error.reason, error.message]).toEqual([
    "unauthenticated",
    "INVALID_CREDENTIAL",
    "Invalid authentication",
  ]);
}

const callerOf = async (token: string) => (await replica.surroundings.identity.resolve(`Bearer ${token}`)).caller;

describe("a workflow that is trusted", () => {
  it("gets a token for its one plugin, in the name of who configured it, for fifteen minutes", async () => {
    const plugin = nextName("tool");
    const { publisher } = await create(plugin);
    expect(publisher).toMatchObject({ plugin, publishesAs: "ann", createdBy: "ann", claims: repository });
    const { token, expiresAt } = await exchange(await builds.mint(workflow()), plugin);
    expect(token).toMatch(/^acp_[\w-]{43}[0-9A-Za-z]{6}$/);
    expect(await callerOf(token)).toMatchObject({
      username: "ann",
      role: "publisher",
      scopes: [`publish:${plugin}`, `read:${plugin}`],
    });
    expect((expiresAt?.getTime() ?? 0) - replica.surroundings.clock.now().getTime()).toBeLessThanOrEqual(15 * 60_000);
    const { publishers } = await replica.federation.listTrustedPublishers({ plugin }, ann);
    expect(publishers).toMatchObject([{ id: publisher?.id, lastUsedAt: expect.any(Date) }]);

    replica.surroundings.clock.advance(15 * 60_000 - 5000);
    expect(await callerOf(token)).toMatchObject({ username: "ann" });
    replica.surroundings.clock.advance(6000);
    await expect(callerOf(token)).rejects.toMatchObject({ kind: "unauthenticated" });
  });

  it("takes namespaces and claims that are numbers", async () => {
    const plugin = `@acme/${nextName("tool")}`;
    await create(plugin, ann, { claims: { repository_id: "4711", run_attempt: "1" } });
    const { token } = await exchange(await builds.mint(workflow({ repository_id: 4711, run_attempt: 1 })), plugin);
    expect(await callerOf(token)).toMatchObject({ scopes: [`publish:${plugin}`, `read:${plugin}`] });
  });

  it("is not known by a number that is too large to be exact", async () => {
    const plugin = nextName("tool");
    const id = 2 ** 53;
    await create(plugin, ann, { claims: { repository_id: String(id) } });
    await refuses(await builds.mint(workflow({ repository_id: id })), plugin);
    expect((await exchange(await builds.mint(workflow({ repository_id: String(id) })), plugin)).plugin).toBe(plugin);
  });

  it("has a token that can make no other, nor trust another workflow", async () => {
    const plugin = nextName("tool");
    await create(plugin);
    const own = bearer((await exchange(await builds.mint(workflow()), plugin)).token);
    const wider = replica.auth.createApiToken({ name: "wider" }, own);
    expect((await failure(wider)).kind).toBe("permission_denied");
    expect((await failure(create(nextName("tool"), own))).kind).toBe("permission_denied");
    expect((await failure(replica.federation.listTrustedPublishers({}, own))).kind).toBe("permission_denied");
  });

  it("leaves its tokens out of every list and count of its user's", async () => {
    const carl = await newUser("carl");
    const plugin = nextName("tool");
    await create(plugin, carl);
    await exchange(await builds.mint(workflow()), plugin);
    expect((await replica.auth.listApiTokens({}, carl)).tokens).toEqual([]);
    for (let i = 0; i < 100; i++) await replica.auth.createApiToken({ name: `t${i}` }, carl);
    await exchange(await builds.mint(workflow()), plugin);
    expect((await failure(replica.auth.createApiToken({ name: "one more" }, carl))).reason).toBe("TOO_MANY_TOKENS");
    expect((await replica.auth.listApiTokens({}, carl)).tokens).toHaveLength(100);
  });

  it("loses its token together with the trust, and with its user", async () => {
    const dora = await newUser("dora");
    const [first, second] = [nextName("tool"), nextName("tool")];
    const { publisher } = await create(first, dora);
    await create(second, dora);
    const one = (await exchange(await builds.mint(workflow()), first)).token;
    const two = (await exchange(await builds.mint(workflow()), second)).token;
    await replica.federation.deleteTrustedPublisher({ id: publisher?.id ?? "" }, dora);
    await expect(callerOf(one)).rejects.toMatchObject({ kind: "unauthenticated" });
    await refuses(await builds.mint(workflow()), first);
    expect(await callerOf(two)).toMatchObject({ username: "dora" });

    await replica.auth.updateUser({ username: "dora", disabled: true }, admin);
    await expect(callerOf(two)).rejects.toMatchObject({ kind: "unauthenticated" });
    await refuses(await builds.mint(workflow()), second);
  });
});

describe("an ID token", () => {
  let plugin: string;
  beforeAll(async () => {
    plugin = nextName("strict");
    await create(plugin);
  });

  it("is taken once, whichever of two replicas is shown it first", async () => {
    const other = await anotherReplica();
    const idToken = await builds.mint(workflow());
    // Each of them would take one like it.
    for (const at of [replica, other]) await exchange(await builds.mint(workflow()), plugin, at);
    const outcomes = await Promise.allSettled(
      [replica, other, replica, other].map((at) => exchange(idToken, plugin, at)),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await refuses(idToken, plugin);
    await other.close();
  });

  it("is not used up by being shown for a plugin that does not trust it", async () => {
    const idToken = await builds.mint(workflow());
    await refuses(idToken, nextName("unknown"));
    expect((await exchange(idToken, plugin)).plugin).toBe(plugin);
  });

  it("stays used for as long as any clock could take it", async () => {
    const idToken = await builds.mint(workflow({ exp: seconds(60) }));
    await exchange(idToken, plugin);
    const again = await builds.mint(workflow({ jti: "used-again", exp: seconds(60) }));
    await exchange(again, plugin);
    replica.surroundings.clock.advance(80_000);
    await refuses(again, plugin);
    await refuses(await builds.mint(workflow({ jti: "used-again" })), plugin);
  });

  it.each([
    ["for another audience", () => ({ aud: "another" })],
    ["for others, too", () => ({ aud: [audience, "another"] })],
    ["for nobody", () => ({ aud: undefined })],
    ["given to another party", () => ({ azp: "another" })],
    ["of an issuer that is not trusted", () => ({ iss: "https://other.example" })],
    ["of nearly the same issuer", () => ({ iss: `${builds.issuer}/` })],
    ["of nobody", () => ({ iss: undefined })],
    ["over", () => ({ iat: seconds(-200), exp: seconds(-31) })],
    ["without end", () => ({ exp: undefined })],
    ["without age", () => ({ iat: undefined })],
    ["of the future", () => ({ iat: seconds(60) })],
    ["not valid yet", () => ({ nbf: seconds(60) })],
    ["good for more than an hour", () => ({ exp: seconds(3601) })],
    ["without jti", () => ({ jti: undefined })],
    ["with an empty jti", () => ({ jti: "" })],
    ["with a jti that is no text", () => ({ jti: 7 })],
    ["of another repository", () => ({ repository_id: "4712" })],
    ["of the same name under another owner", () => ({ repository_owner_id: "43" })],
    ["of another branch", () => ({ ref: "refs/heads/evil" })],
    ["without a claim that is pinned", () => ({ ref: undefined })],
    ["with a claim in a list", () => ({ repository_id: ["4711"] })],
    ["with a claim in another case", () => ({ ref: "refs/heads/Main" })],
  ])("is refused where it is %s", async (_what, change) => {
    await refuses(await builds.mint(workflow(change())), plugin);
  });

  it("is refused in every form that only looks signed", async () => {
    const claims = workflow();
    const { key } = builds;
    const pem = JSON.stringify(key.publicJwk);
    const byPublicKey = new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT", kid: key.kid });
    await refuses(await byPublicKey.sign(new TextEncoder().encode(pem)), plugin);
    await refuses(await byPublicKey.sign(Buffer.from(key.publicJwk.n ?? "", "base64url")), plugin);
    await refuses(forgeUnsigned(claims, { alg: "none", typ: "JWT" }), plugin);
    await refuses(forgeUnsigned(claims, { alg: "none", kid: key.kid }, "AAAA"), plugin);
    const stranger = await createBuildKey(key.kid);
    await refuses(await builds.mint(claims, { key: stranger }), plugin);
    await refuses(await builds.mint(claims, { key: stranger, header: { jwk: stranger.publicJwk } }), plugin);
    await refuses(await builds.mint(claims, { key: stranger, header: { jku: "https://evil.example/keys" } }), plugin);
    await refuses(await builds.mint(claims, { header: { typ: "at+jwt" } }), plugin);
    const whole = await builds.mint(claims);
    await refuses(`${whole.slice(0, -10)}AAAAAAAAAA`, plugin);
    for (const text of ["", "a.b.c", "acr_x", "..", `${"x".repeat(20_000)}.y.z`]) await refuses(text, plugin);
    // The honest one still counts.
    expect((await exchange(whole, plugin)).plugin).toBe(plugin);
  });

  it("with a new key is taken once the issuer shows that key, and made-up keys do not make it asked again", async () => {
    const fresh = await anotherReplica();
    await exchange(await builds.mint(workflow()), plugin, fresh);
    const old = builds.key;
    await builds.rotate();
    const asked = builds.keysAsked;
    const idToken = await builds.mint(workflow());
    // The keys were read a moment ago.
    expect((await failure(exchange(idToken, plugin, fresh))).kind).toBe("unauthenticated");
    expect(builds.keysAsked).toBe(asked);
    fresh.surroundings.clock.advance(31_000);
    const strange = await Promise.all(
      Array.from({ length: 10 }, (_, i) => builds.mint(workflow(), { header: { kid: `made-up-${i}` } })),
    );
    for (const token of strange) {
      expect((await failure(exchange(token, plugin, fresh))).kind).toBe("unauthenticated");
    }
    expect(builds.keysAsked).toBe(asked + 1);
    expect((await exchange(idToken, plugin, fresh)).plugin).toBe(plugin);
    const rotatedAway = await builds.mint(workflow(), { key: old });
    expect((await failure(exchange(rotatedAway, plugin, fresh))).kind).toBe("unauthenticated");
    await fresh.close();
  });

  it("of an issuer that is away is neither taken nor said to be wrong", async () => {
    const gone = await BuildSystem.start();
    const its = await anotherReplica(gone.issuer);
    const idToken = await gone.mint(workflow({ iss: gone.issuer }));
    await gone.close();
    expect((await failure(exchange(idToken, plugin, its))).kind).toBe("unavailable");
    await its.close();
  });

  it("is tried in vain only so often from one address", async () => {
    const strict = await startReplica(store, {
      config: { TRUSTED_ISSUERS: [builds.issuer], RATE_LIMIT_FAILED_CREDENTIALS: 3 },
    });
    const wrong = () => failure(exchange("a.b.c", plugin, strict));
    for (let i = 0; i < 3; i++) expect((await wrong()).kind).toBe("unauthenticated");
    expect((await wrong()).kind).toBe("rate_limited");
    const now = Math.floor(Date.now() / 1000);
    const honest = await builds.mint(workflow({ iat: now, exp: now + 60 }));
    expect((await exchange(honest, plugin, strict)).plugin).toBe(plugin);
    await strict.close();
  });

  it("is no secret that the registry keeps", async () => {
    const name = nextName("tool");
    await create(name);
    const idToken = await builds.mint(workflow());
    const { token } = await exchange(idToken, name);
    const tokens = await store.documents.collection<{ _id: string }>({ name: "tokens", indexes: [] });
    const kept = JSON.stringify(await tokens.find({}));
    expect(kept).not.toContain(token);
    expect(kept).not.toContain(idToken.split(".")[2]);
  });
});

describe("a trusted publisher", () => {
  it.each([
    ["nothing", {}, "INVALID_CLAIMS", "1 to 10"],
    ["a name alone", { repository: "acme/tools" }, "UNSTABLE_CLAIMS", "add repository_id"],
    ["an owner's name", { repository_owner: "acme", ref: "x" }, "UNSTABLE_CLAIMS", "add repository_owner_id"],
    ["a project's path", { project_path: "acme/tools" }, "UNSTABLE_CLAIMS", "add project_id"],
    ["a subject made of names", { sub: "repo:acme/tools:ref:refs/heads/main" }, "UNSTABLE_CLAIMS", "repository_id"],
    ["a subject beside a name", { sub: "x", namespace_path: "acme" }, "UNSTABLE_CLAIMS", "add namespace_id"],
    ["whoever started it", { actor_id: "7" }, "UNSTABLE_CLAIMS", "repository_id"],
    ["what is checked anyway", { repository_id: "1", aud: "x" }, "INVALID_CLAIMS", "leave it out"],
    ["a strange name", { repository_id: "1", "Repo-Id": "x" }, "INVALID_CLAIMS", "a-z"],
    ["an empty value", { repository_id: "" }, "INVALID_CLAIMS", "1 to 500"],
    ["a long value", { repository_id: "1".repeat(501) }, "INVALID_CLAIMS", "1 to 500"],
    ["too much", Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`c${i}`, "x"])), "INVALID_CLAIMS", "1 to 10"],
  ])("is refused where it pins %s", async (_what, claims, reason, remedy) => {
    const error = await failure(create(nextName("tool"), ann, { claims }));
    expect([error.kind, error.reason]).toEqual(["invalid_argument", reason]);
    expect(error.message).toContain(remedy);
    expect(error.fields[0]?.pointer).toMatch(/^\/claims/);
  });

  it("may go by the subject where the issuer has no other id, and only there", async () => {
    const plugin = nextName("tool");
    await create(plugin, ann, { claims: { sub: "7f0d-service" } });
    const plain = { repository: undefined, repository_id: undefined, sub: "7f0d-service" };
    expect((await exchange(await builds.mint(workflow(plain)), plugin)).plugin).toBe(plugin);
    await refuses(await builds.mint(workflow({ ...plain, repository_id: "1" })), plugin);
    await refuses(await builds.mint(workflow({ ...plain, project_id: "1" })), plugin);
  });

  it("is for a plugin's name, an issuer of the operator's list, and a credential with all rights", async () => {
    expect((await failure(create("No Name"))).reason).toBe("INVALID_NAME");
    const other = await failure(create("tool", ann, { issuer: "https://other.example" }));
    expect([other.reason, other.message]).toEqual(["UNKNOWN_ISSUER", expect.stringContaining(builds.issuer)]);
    const bare = await startReplica(store);
    const off = bare.federation.createTrustedPublisher({ plugin: "a", issuer: "https://a", claims: repository }, ann);
    expect((await failure(off)).message).toContain("TRUSTED_ISSUERS");
    await bare.close();
    const scoped = await replica.auth.createApiToken({ name: "ci", scopes: ["publish"] }, ann);
    expect((await failure(create("tool", bearer(scoped.secret)))).kind).toBe("permission_denied");
    const anonymous = replica.federation.createTrustedPublisher({ plugin: "a", issuer: "b", claims: {} });
    expect((await failure(anonymous)).kind).toBe("unauthenticated");
  });

  it("is seen and deleted by who made it and by administrators, and is not there for others", async () => {
    const plugin = nextName("tool");
    const id = (await create(plugin)).publisher?.id ?? "";
    const seenBy = async (as: CallOptions) =>
      (await replica.federation.listTrustedPublishers({ plugin }, as)).publishers.map((publisher) => publisher.id);
    expect([await seenBy(ann), await seenBy(ben), await seenBy(admin)]).toEqual([[id], [], [id]]);
    const mine = await replica.federation.listTrustedPublishers({}, ann);
    expect(mine.publishers.every(({ createdBy }) => createdBy === "ann")).toBe(true);
    const theirs = await failure(replica.federation.deleteTrustedPublisher({ id }, ben));
    const nothing = await failure(replica.federation.deleteTrustedPublisher({ id: "nothing" }, ben));
    expect([theirs.kind, theirs.message]).toEqual([nothing.kind, nothing.message]);
    await replica.federation.deleteTrustedPublisher({ id }, admin);
    expect(await seenBy(admin)).toEqual([]);
  });

  it("is one of fifty of a plugin, which nobody can use up for others", async () => {
    const plugin = nextName("tool");
    for (let i = 0; i < 50; i++) await create(plugin);
    expect((await failure(create(plugin))).reason).toBe("TOO_MANY_TRUSTED_PUBLISHERS");
    expect((await create(plugin, ben)).publisher?.createdBy).toBe("ben");
    // Both trust the same workflow: what was there first is not taken over.
    const { token } = await exchange(await builds.mint(workflow()), plugin);
    expect(await callerOf(token)).toMatchObject({ username: "ann" });
  });
});

describe("publishing as a service account", () => {
  let owner: CallOptions;
  let maintainer: CallOptions;

  beforeAll(async () => {
    owner = await newUser("owner");
    maintainer = await newUser("maintainer");
    const { organisations } = replica;
    for (const name of ["acme", "other"]) {
      const account = { organisation: name, username: `${name}-robot`, role: "publisher" };
      await organisations.createOrganisation({ name }, name === "acme" ? owner : ben);
      await organisations.createServiceAccount(account, name === "acme" ? owner : ben);
    }
    await organisations.setMember({ organisation: "acme", username: "maintainer", role: "maintainer" }, owner);
  });

  const as = (caller: CallOptions, publishesAs: string, plugin = "@acme/tool") =>
    create(plugin, caller, { publishesAs });

  it("is for owners of the plugin's organisation, and for administrators", async () => {
    for (const caller of [owner, admin]) {
      expect((await as(caller, "acme-robot")).publisher?.publishesAs).toBe("acme-robot");
    }
    const refusals = [
      as(maintainer, "acme-robot"),
      as(ann, "acme-robot"),
      as(owner, "other-robot"),
      as(owner, "ann"),
      as(owner, "nobody-at-all"),
      as(owner, "acme-robot", "@other/tool"),
      as(owner, "acme-robot", "tool"),
    ];
    const errors = await Promise.all(refusals.map(failure));
    expect(new Set(errors.map(({ kind, message }) => `${kind} ${message}`)).size).toBe(1);
    expect(errors[0]).toMatchObject({ kind: "not_found", reason: "SERVICE_ACCOUNT_NOT_FOUND" });
  });

  it("gives the workflow that account's rights, and owners of the organisation see it", async () => {
    const { token } = await exchange(await builds.mint(workflow()), "@acme/tool");
    expect(await callerOf(token)).toMatchObject({
      username: "acme-robot",
      scopes: ["publish:@acme/tool", "read:@acme/tool"],
    });
    const seenBy = async (caller: CallOptions) =>
      (await replica.federation.listTrustedPublishers({ plugin: "@acme/tool" }, caller)).publishers.length;
    expect([await seenBy(owner), await seenBy(maintainer), await seenBy(ann)]).toEqual([2, 0, 0]);
    const all = await replica.federation.listTrustedPublishers({}, owner);
    expect(all.publishers.filter(({ createdBy }) => createdBy === "admin")).toHaveLength(1);
  });

  it("ends with the account", async () => {
    const { token } = await exchange(await builds.mint(workflow()), "@acme/tool");
    await replica.organisations.deleteServiceAccount({ organisation: "acme", username: "acme-robot" }, owner);
    await expect(callerOf(token)).rejects.toMatchObject({ kind: "unauthenticated" });
    await refuses(await builds.mint(workflow()), "@acme/tool");
    expect((await failure(as(owner, "acme-robot"))).reason).toBe("SERVICE_ACCOUNT_NOT_FOUND");
  });
});

it("has a policy for each RPC of the contract, and an audit row for each change", () => {
  const rows = replica.service.tables.find(({ definition }) => definition.name === "FederationService")?.rows ?? {};
  const audited = Object.keys(rows).filter((name) => rows[name]?.audit !== undefined);
  expect(audited.sort()).toEqual([
    "createTrustedPublisher",
    "deleteTrustedPublisher",
    "exchangeIdToken",
    "finishSignIn",
  ]);
});
