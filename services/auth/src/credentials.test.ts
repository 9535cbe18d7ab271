import { execFileSync } from "node:child_process";
import { createHmac, createSign, generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { intercepted } from "@registry/documents/testing";
import { verifyInternalToken } from "@registry/kit";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tokenPrefixes } from "./model/api-token.ts";
import { forge, forgeUnsigned } from "./testing/forge.ts";
import {
  bearer,
  composeReplica,
  failure,
  openStore,
  type Replica,
  type Store,
  startReplica,
} from "./testing/harness.ts";

let store: Store;
let replica: Replica;
let key: Uint8Array;
let id: number;
const password = "correct horse";
const soon = (): number => Math.floor(Date.now() / 1000) + 3600;
const claims = (): { user_id: number; username: string; exp: number } => ({
  user_id: id,
  username: "alice",
  exp: soon(),
});

beforeAll(async () => {
  store = await openStore();
  replica = await startReplica(store);
  key = replica.surroundings.keys.callerTokens;
  id = (await replica.auth.register({ username: "alice", email: "alice@example.org", password })).user?.id ?? 0;
});
afterAll(async () => {
  await replica.close();
  await store.close();
});

const exchange = (credential: string): Promise<unknown> => replica.auth.exchangeCredential({ credential });
const login = async (): Promise<string> => (await replica.auth.login({ username: "alice", password })).token;
const epochNow = async (): Promise<number> => (await replica.auth.getRevocationEpoch({})).epoch;

describe("signed tokens", () => {
  it("say user_id, username, iat, exp in 30 days and jti, signed with the secret itself", async () => {
    const token = await login();
    const [head = "", body = "", signature] = token.split(".");
    expect(createHmac("sha256", key).update(`${head}.${body}`).digest("base64url")).toBe(signature);
    const said = JSON.parse(Buffer.from(body, "base64url").toString());
    expect(Object.keys(said).sort()).toEqual(["exp", "iat", "jti", "user_id", "username"]);
    expect(said).toMatchObject({ user_id: id, username: "alice" });
    expect(said.exp - said.iat).toBe(30 * 86_400);
  });

  it("hold when another holder of the secret made them with three claims", async () => {
    expect((await replica.auth.getMe({}, bearer(forge(claims(), key)))).user?.id).toBe(id);
    const said = { iss: "agenticraft-registry", aud: ["others", "agenticraft-registry"] };
    expect((await replica.auth.getMe({}, bearer(forge({ ...claims(), ...said }, key)))).user?.id).toBe(id);
  });

  it("do not hold when they would choose a key or a rule, however well they are signed", async () => {
    const headers = {
      kid: { kid: "x" },
      emptyKid: { kid: "" },
      kidIsPath: { kid: "../../dev/null" },
      jwk: { jwk: { kty: "oct", k: Buffer.from(key).toString("base64url") } },
      jku: { jku: "http://localhost/keys" },
      x5u: { x5u: "http://localhost/certificate" },
      x5c: { x5c: ["AA"] },
      x5t: { x5t: "AA" },
      x5tSha256: { "x5t#S256": "AA" },
      b64: { b64: true },
      crit: { crit: ["exp"] },
    };
    for (const [name, header] of Object.entries(headers)) {
      const error = await failure(exchange(forge(claims(), key, header)));
      expect([name, error.kind, error.message]).toEqual([name, "unauthenticated", "Invalid authentication"]);
    }
  });

  it("tell apart whose user is gone", async () => {
    const error = await failure(exchange(forge({ ...claims(), user_id: 999_999 }, key)));
    expect([error.kind, error.reason, error.message]).toEqual(["unauthenticated", "USER_NOT_FOUND", "User not found"]);
  });

  it("do not hold when forged", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const publicPem = publicKey.export({ type: "spki", format: "pem" }).toString();
    const rs256 = forgeUnsigned(claims(), { alg: "RS256", typ: "JWT" }).slice(0, -1);
    const rsSigned = `${rs256}.${createSign("sha256").update(rs256).sign(privateKey, "base64url")}`;
    const [head, , signature] = (await login()).split(".");
    const tampered = `${head}.${Buffer.from(JSON.stringify({ ...claims(), user_id: 1 })).toString("base64url")}.${signature}`;
    const jwk = { kty: "oct", k: Buffer.from("attacker").toString("base64url") };
    const forged = {
      none: forgeUnsigned(claims(), { alg: "none" }),
      noneInCapitals: forgeUnsigned(claims(), { alg: "NONE" }),
      emptySignature: forgeUnsigned(claims(), { alg: "HS256" }),
      otherKey: forge(claims(), "another key"),
      otherAlgorithm: rsSigned,
      publicKeyAsSecret: forge(claims(), publicPem),
      claimedHs512: forge(claims(), key, { alg: "HS512" }),
      keyInHeader: forge(claims(), "attacker", { jwk, kid: "../../dev/null", jku: "http://localhost/keys" }),
      critical: forge(claims(), key, { crit: ["exp"] }),
      unencodedPayload: forge(claims(), key, { b64: false, crit: ["b64"] }),
      tampered,
      expired: forge({ ...claims(), exp: 1_500_000_000 }, key),
      withoutEnd: forge({ user_id: id, username: "alice" }, key),
      endIsText: forge({ ...claims(), exp: "2999-01-01" }, key),
      endBeyondTime: forge({ ...claims(), exp: 1e300 }, key),
      idIsText: forge({ ...claims(), user_id: String(id) }, key),
      idIsQuery: forge({ ...claims(), user_id: { $gt: 0 } }, key),
      nameOfAnother: forge({ ...claims(), username: "admin" }, key),
      notYet: forge({ ...claims(), nbf: soon() }, key),
      otherIssuer: forge({ ...claims(), iss: "another registry" }, key),
      otherAudience: forge({ ...claims(), aud: "another registry" }, key),
      noAudience: forge({ ...claims(), aud: [] }, key),
      noObject: forge("text", key),
    };
    for (const [name, token] of Object.entries(forged)) {
      const error = await failure(exchange(token));
      expect([name, error.kind, error.message]).toEqual([name, "unauthenticated", "Invalid authentication"]);
    }
  });

  it("cost no fault of ours, whatever the credential is", async () => {
    const part = fc.oneof(
      fc.base64String({ maxLength: 60 }),
      fc.json().map((json) => Buffer.from(json).toString("base64url")),
    );
    const credential = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.tuple(part, part, part).map((parts) => parts.join(".")),
      fc.json().map((json) => `${json}.${json}.${json}`),
      fc.dictionary(fc.string(), fc.jsonValue()).map((header) => forge(claims(), "no key", header)),
      fc.jsonValue().map((value) => forge(value, key)),
      fc.string().map((text) => `acr_${text}`),
      fc
        .tuple(fc.constantFrom(...Object.values(tokenPrefixes)), fc.string({ minLength: 49, maxLength: 49 }))
        .map((parts) => parts.join("")),
    );
    await fc.assert(
      fc.asyncProperty(credential, async (text) => {
        expect((await failure(exchange(text))).kind).toBe("unauthenticated");
      }),
      { numRuns: 300 },
    );
  });

  it("of the usual Python library hold, and ours hold there", async (test) => {
    const python = (script: string, ...args: string[]): string =>
      execFileSync("python3", ["-c", script, ...args], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    try {
      python("import jwt");
    } catch {
      test.skip("PyJWT is not installed");
    }
    const secret = Buffer.from(key).toString();
    const made = python(
      "import jwt,sys,datetime as d;print(jwt.encode({'user_id':int(sys.argv[2]),'username':'alice','exp':d.datetime.now(d.timezone.utc)+d.timedelta(days=30)},sys.argv[1],algorithm='HS256'))",
      secret,
      String(id),
    );
    expect((await replica.auth.getMe({}, bearer(made))).user?.id).toBe(id);
    const read = "import jwt,sys;print(jwt.decode(sys.argv[2],sys.argv[1],algorithms=['HS256'])['user_id'])";
    expect(python(read, secret, await login())).toBe(String(id));
  });
});

describe("logout", () => {
  it("ends that token, however it is spelt, and no other", async () => {
    const [token, other, foreign] = [await login(), await login(), forge({ ...claims(), x: 1 }, key)];
    const last = token.slice(-1);
    const spelt = token.slice(0, -1) + String.fromCharCode(last.charCodeAt(0) + 1);
    for (const revoked of [token, foreign]) {
      const before = await epochNow();
      await replica.auth.logout({ token: revoked });
      expect(await epochNow()).toBeGreaterThan(before);
      expect((await failure(replica.auth.getMe({}, bearer(revoked)))).kind).toBe("unauthenticated");
      await replica.auth.logout({ token: revoked });
    }
    expect((await failure(exchange(spelt))).kind).toBe("unauthenticated");
    expect((await replica.auth.getMe({}, bearer(other))).user?.id).toBe(id);
    expect((await failure(replica.auth.logout({ token: "nonsense" }))).kind).toBe("unauthenticated");
  });

  it("reaches another replica at once and ends an API token too", async () => {
    const other = await startReplica(store);
    const { secret } = await replica.auth.createApiToken({ name: "gone soon" }, bearer(await login()));
    expect((await other.auth.getMe({}, bearer(secret))).user?.id).toBe(id);
    await replica.auth.logout({ token: secret });
    await other.surroundings.identity.epoch.refresh();
    expect((await failure(other.auth.getMe({}, bearer(secret)))).kind).toBe("unauthenticated");
    await other.close();
  });
});

describe("the revocation epoch", () => {
  it("of an exchange that a withdrawal overtakes is an old one", async () => {
    const admin = bearer(await readFile(join(store.folder, "admin-token"), "utf8").then((text) => text.trim()));
    const { token } = await replica.auth.register({ username: "olivia", email: "olivia@example.org", password });
    let overtaken = false;
    const documents = intercepted(store.documents, "users", "findOne", async (read) => {
      const user = await read();
      if (!overtaken) {
        overtaken = true;
        await replica.auth.updateUser({ username: "olivia", disabled: true }, admin);
      }
      return user;
    });
    const other = await composeReplica(store, { documents });
    const { internalToken } = await other.auth.exchangeCredential({ credential: token });
    const said = verifyInternalToken(replica.surroundings.keys, internalToken, new Date());
    expect(overtaken).toBe(true);
    expect(said?.epoch).toBeLessThan(await epochNow());
    await other.close();
  });

  it("tells how long ago it was raised, for as long as anybody may bear with what was decided before", async () => {
    const { clock } = replica.surroundings;
    const ago = async (): Promise<number[]> => (await replica.auth.getRevocationEpoch({})).raisedAgoMs;
    clock.advance(11_000);
    await replica.auth.logout({ token: await login() });
    clock.advance(3000);
    await replica.auth.logout({ token: await login() });
    const [latest = 0, before = 0, ...more] = await ago();
    expect([latest >= 0, before - latest >= 3000, more]).toEqual([true, true, []]);
    clock.advance(11_000);
    await replica.auth.logout({ token: await login() });
    expect(await ago()).toHaveLength(1);
  });

  it("makes up for a withdrawal that a crash cut off", async () => {
    const before = await epochNow();
    const counters = await store.documents.collection<{ _id: string }>({ name: "counters", indexes: [] });
    const at = replica.surroundings.clock.now();
    await counters.updateOne({ _id: "revocation_epoch" }, { $push: { open: { id: "cut off", at } } }, { upsert: true });
    expect(await epochNow()).toBe(before);
    replica.surroundings.clock.advance(3000);
    expect(await epochNow()).toBe(before + 1);
    expect(await epochNow()).toBe(before + 1);
  });
});

it("declares settings that the command line can read", async () => {
  const { authSettings } = await import("./config.ts");
  expect(authSettings.REGISTRATION.parse("open")).toBe("open");
  expect(() => authSettings.REGISTRATION_ROLE.parse("admin")).toThrow("user, publisher");
  expect(authSettings.TOKEN_LIFETIME_DAYS.fallback).toBe(30);
});
