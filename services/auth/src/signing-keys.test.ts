import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { deriveKeys } from "@registry/kit";
import { createLocalJWKSet, jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { forgeUnsigned } from "./testing/forge.ts";
import { bearer, failure, openStore, type Replica, type Store, startReplica } from "./testing/harness.ts";

const password = "correct horse";
const day = 86_400_000;
const issuer = "agenticraft-registry";
const config = { JWT_ALGORITHM: "EdDSA", TOKEN_LIFETIME_DAYS: 30, JWT_ROTATION_DAYS: 10 } as const;

let store: Store;
let replica: Replica;
let other: Replica;
let admin: ReturnType<typeof bearer>;
let id: number;

beforeEach(async () => {
  store = await openStore();
  // At once, so that both would make the first key.
  [replica, other] = await Promise.all([startReplica(store, { config }), startReplica(store, { config })]);
  admin = bearer((await readFile(join(store.folder, "admin-token"), "utf8")).trim());
  id = (await replica.auth.register({ username: "alice", email: "alice@example.org", password })).user?.id ?? 0;
});
afterEach(async () => {
  await replica.close();
  await other.close();
  await store.close();
});

interface Jwk {
  readonly kid: string;
  readonly x: string;
}

const login = async (at = replica): Promise<string> => (await at.auth.login({ username: "alice", password })).token;
const jwks = async (at = replica): Promise<Jwk[]> => JSON.parse((await at.auth.getJwks({})).jwksJson).keys;
const headerOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString());
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
const whoIs = async (token: string, at = replica) => (await at.auth.getMe({}, bearer(token))).user?.username;
const forward = (ms: number): void => {
  for (const { surroundings } of [replica, other]) surroundings.clock.advance(ms);
};

/** A compact JWS by hand under an Ed25519 key. */
function signed(claims: unknown, header: object, key: KeyObject): string {
  const input = forgeUnsigned(claims, header).slice(0, -1);
  return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
}

/** The registry's own signing key, as only an attacker inside would have it. */
async function stolenKey(kid: string): Promise<KeyObject> {
  const stored = await store.documents.collection<{ _id: string; sealed: string }>({
    name: "signing_keys",
    indexes: [],
  });
  const seed = replica.surroundings.keys.open("signing-key", (await stored.findOne({ _id: kid }))?.sealed ?? "", kid);
  const { ed25519FromSeed } = await import("@registry/kit");
  return ed25519FromSeed(seed ?? new Uint8Array());
}

describe("tokens signed with EdDSA", () => {
  it("say who issued them for whom and under which key, and verify with the published keys in any library", async () => {
    const token = await login();
    const [key, ...others] = await jwks();
    expect(others).toEqual([]);
    expect(key).toEqual({ kty: "OKP", crv: "Ed25519", x: key?.x, kid: key?.kid, alg: "EdDSA", use: "sig" });
    expect(await jwks(other)).toEqual([key]);
    expect(headerOf(token)).toEqual({ alg: "EdDSA", typ: "JWT", kid: key?.kid });
    expect(claimsOf(token)).toMatchObject({ iss: issuer, aud: issuer, user_id: id, username: "alice" });
    const set = createLocalJWKSet({ keys: [{ ...key, kty: "OKP" }] });
    const { payload } = await jwtVerify(token, set, { issuer, audience: issuer, algorithms: ["EdDSA"] });
    expect(payload.user_id).toBe(id);
    expect(await whoIs(token)).toBe("alice");
    expect(await whoIs(token, other)).toBe("alice");
    await replica.auth.logout({ token });
    expect((await failure(replica.auth.getMe({}, bearer(token)))).kind).toBe("unauthenticated");
  });

  it("do not hold when forged", async () => {
    const [first] = await jwks();
    const kid = first?.kid ?? "";
    const ours = await stolenKey(kid);
    const attacker = generateKeyPairSync("ed25519").privateKey;
    const jwk = createPublicKey(attacker).export({ format: "jwk" });
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const claims = { user_id: id, username: "alice", exp, iss: issuer, aud: issuer };
    const header = { alg: "EdDSA", typ: "JWT", kid };
    const { iss: _iss, ...withoutIssuer } = claims;
    const { aud: _aud, ...withoutAudience } = claims;
    const { exp: _exp, ...withoutEnd } = claims;
    const hmac = (key: string | Uint8Array): string => {
      const input = forgeUnsigned(claims, { ...header, alg: "HS256" }).slice(0, -1);
      return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
    };
    const publicPem = createPublicKey(ours).export({ type: "spki", format: "pem" }).toString();
    const [head, , signature] = (await login()).split(".");
    const forged = {
      none: forgeUnsigned(claims, { ...header, alg: "none" }),
      noneSigned: signed(claims, { ...header, alg: "none" }, ours),
      sharedSecret: hmac(replica.surroundings.keys.callerTokens),
      publicKeyAsSecret: hmac(publicPem),
      publicBytesAsSecret: hmac(Buffer.from(first?.x ?? "", "base64url")),
      otherNameOfAlgorithm: signed(claims, { ...header, alg: "Ed25519" }, ours),
      otherKey: signed(claims, header, attacker),
      internalKey: signed(claims, header, replica.surroundings.keys.signing),
      withoutKid: signed(claims, { alg: "EdDSA", typ: "JWT" }, ours),
      unknownKid: signed(claims, { ...header, kid: "another" }, ours),
      kidIsPath: signed(claims, { ...header, kid: "../../dev/null" }, ours),
      kidIsQuery: signed(claims, { ...header, kid: { $ne: null } }, ours),
      jwk: signed(claims, { ...header, jwk }, attacker),
      jwkBesideOurSignature: signed(claims, { ...header, jwk }, ours),
      jku: signed(claims, { ...header, jku: "http://localhost/keys" }, ours),
      x5u: signed(claims, { ...header, x5u: "http://localhost/keys" }, ours),
      x5c: signed(claims, { ...header, x5c: ["AA"] }, ours),
      x5t: signed(claims, { ...header, x5t: "AA" }, ours),
      crit: signed(claims, { ...header, crit: ["exp"] }, ours),
      withoutEnd: signed(withoutEnd, header, ours),
      expired: signed({ ...claims, exp: 1_500_000_000 }, header, ours),
      notYet: signed({ ...claims, nbf: exp }, header, ours),
      withoutIssuer: signed(withoutIssuer, header, ours),
      foreignIssuer: signed({ ...claims, iss: "another registry" }, header, ours),
      withoutAudience: signed(withoutAudience, header, ours),
      foreignAudience: signed({ ...claims, aud: ["another registry"] }, header, ours),
      tampered: `${head}.${Buffer.from(JSON.stringify({ ...claims, user_id: 1, username: "admin" })).toString("base64url")}.${signature}`,
    };
    for (const [name, token] of Object.entries(forged)) {
      const error = await failure(replica.auth.exchangeCredential({ credential: token }));
      expect([name, error.kind, error.message]).toEqual([name, "unauthenticated", "Invalid authentication"]);
    }
    // The forgeries fail for what is wrong with them, and not for how they are made.
    expect(await whoIs(signed(claims, header, ours))).toBe("alice");
    expect(await whoIs(signed({ ...claims, aud: ["x", issuer] }, header, ours))).toBe("alice");
  });
});

describe("signing keys", () => {
  it("are kept sealed", async () => {
    const [key] = await jwks();
    const raw = await store.documents.collection<{ _id: string }>({ name: "signing_keys", indexes: [] });
    const { d } = (await stolenKey(key?.kid ?? "")).export({ format: "jwk" });
    expect(d).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(await raw.find({}))).not.toContain(d);
  });

  it("are replaced by one new key, whoever rotates at once, and old tokens hold until their end", async () => {
    const old = await login();
    const [first] = await jwks();
    const outcomes = await Promise.all([replica, other].map(({ auth }) => auth.rotateSigningKey({}, admin)));
    const kids = (await jwks()).map(({ kid }) => kid);
    expect(kids).toContain(outcomes[0]?.kid);
    expect(kids).toContain(outcomes[1]?.kid);
    expect(kids.at(-1)).toBe(first?.kid);
    expect(headerOf(await login())).toMatchObject({ kid: kids[0] });
    expect(headerOf(await login(other))).toMatchObject({ kid: kids[0] });
    expect([await whoIs(old), await whoIs(old, other)]).toEqual(["alice", "alice"]);
    const generations = await store.documents.collection<{ _id: string; generation: number }>({
      name: "signing_keys",
      indexes: [],
    });
    const numbers = (await generations.find({})).map(({ generation }) => generation).sort();
    expect(numbers).toEqual(kids.map((_, index) => index + 1));
    expect(replica.notes).toContainEqual({ action: "key.rotate", target: outcomes[0]?.kid });
  });

  it("are replaced by themselves when they are old, and verify no longer once their tokens have ended", async () => {
    const [first] = await jwks();
    const kid = first?.kid ?? "";
    const ours = await stolenKey(kid);
    forward(11 * day);
    const later = await login();
    expect(headerOf(later).kid).not.toBe(kid);
    expect((await jwks()).map((key) => key.kid)).toEqual([headerOf(later).kid, kid]);
    const exp = Math.floor(Date.now() / 1000) + 300 * 86_400;
    const forged = signed(
      { user_id: id, username: "alice", exp, iss: issuer, aud: issuer },
      { alg: "EdDSA", kid },
      ours,
    );
    forward(29 * day);
    expect(await whoIs(forged)).toBe("alice");
    forward(2 * day);
    expect((await failure(replica.auth.exchangeCredential({ credential: forged }))).kind).toBe("unauthenticated");
    expect((await jwks()).map((key) => key.kid)).not.toContain(kid);
  });

  it("that whoever can write to the store put there are not believed", async () => {
    const attacker = deriveKeys("the secret of somebody else, long enough");
    const raw = await store.documents.collection<{
      _id: string;
      generation: number;
      sealed: string;
      createdAt: Date;
    }>({ name: "signing_keys", indexes: [] });
    const sealed = attacker.seal("signing-key", Buffer.alloc(32, 7), "planted");
    await raw.insertOne({ _id: "planted", generation: 7, sealed, createdAt: new Date() });
    const genuine = (await raw.findOne({ generation: 1 }))?.sealed ?? "";
    await raw.insertOne({ _id: "copied", generation: 8, sealed: genuine, createdAt: new Date() });
    const [first, ...others] = await jwks();
    expect([others.length, ["planted", "copied"].includes(first?.kid ?? "")]).toEqual([0, false]);
    expect(headerOf(await login())).toMatchObject({ kid: first?.kid });
  });

  it("are changed by administrators alone, and not there where the secret signs", async () => {
    const { token } = await replica.auth.login({ username: "alice", password });
    expect((await failure(replica.auth.rotateSigningKey({}, bearer(token)))).kind).toBe("permission_denied");
    expect((await failure(replica.auth.rotateSigningKey({}))).kind).toBe("unauthenticated");
    const shared = await startReplica(store);
    expect(await jwks(shared)).toEqual([]);
    expect((await failure(shared.auth.rotateSigningKey({}, admin))).reason).toBe("NO_SIGNING_KEYS");
    // Each algorithm takes its own tokens alone.
    expect((await failure(shared.auth.exchangeCredential({ credential: token }))).kind).toBe("unauthenticated");
    const hs256 = await shared.auth.login({ username: "alice", password });
    expect((await failure(replica.auth.exchangeCredential({ credential: hs256.token }))).kind).toBe("unauthenticated");
    await shared.close();
  });
});
