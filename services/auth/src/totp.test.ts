import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CallOptions } from "@registry/kit";
import fc from "fast-check";
import { URI } from "otpauth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stepOf } from "./model/totp.ts";
import { maxFailures } from "./store/failures.ts";
import { bearer, beginWindow, failure, openStore, type Replica, type Store, startReplica } from "./testing/harness.ts";

const password = "correct horse";
const step = 30_000;

let store: Store;
let replica: Replica;
let other: Replica;
let admin: CallOptions;

beforeAll(async () => {
  store = await openStore();
  replica = await startReplica(store);
  other = await startReplica(store);
  admin = bearer((await readFile(join(store.folder, "admin-token"), "utf8")).trim());
});
afterAll(async () => {
  await other.close();
  await replica.close();
  await store.close();
});

/** Somebody with an authenticator app. */
interface Person {
  readonly username: string;
  /** With a login from before there was a second factor. */
  readonly me: CallOptions;
  /** What the app shows so many steps from now. */
  code(steps?: number): string;
}

function forward(ms: number): void {
  for (const { surroundings } of [replica, other]) surroundings.clock.advance(ms);
}

async function begins(username: string): Promise<Person> {
  const { token } = await replica.auth.register({ username, email: `${username}@example.org`, password });
  const me = bearer(token);
  const { secret, uri } = await replica.auth.beginTotp({ password }, me);
  const app = URI.parse(uri);
  expect(app.secret.base32).toBe(secret);
  if (!("period" in app)) throw new Error("not a TOTP");
  const now = (): number => replica.surroundings.clock.now().getTime();
  return { username, me, code: (steps = 0) => app.generate({ timestamp: now() + steps * step }) };
}

async function enables(username: string): Promise<Person> {
  const person = await begins(username);
  await replica.auth.confirmTotp({ code: person.code() }, person.me);
  forward(2 * step);
  // What a story does next lies within one step.
  beginWindow([replica, other], step / 1000);
  return person;
}

const logsIn = (username: string, otp: string, at = replica, typed = password) =>
  at.auth.login({ username, password: typed, otp });

describe("a second factor", () => {
  it("is shown once in the forms that apps take, kept sealed, and counts once it was confirmed", async () => {
    const { token } = await replica.auth.register({ username: "alice", email: "alice@example.org", password });
    const me = bearer(token);
    expect((await failure(replica.auth.beginTotp({ password: "wrong horse" }, me))).reason).toBe("WRONG_PASSWORD");
    expect((await failure(replica.auth.confirmTotp({ code: "123456" }, me))).reason).toBe("TOTP_NOT_BEGUN");
    const first = await replica.auth.beginTotp({ password }, me);
    const { secret, uri } = await replica.auth.beginTotp({ password }, me);
    expect(secret).not.toBe(first.secret);
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(uri).toMatch(/^otpauth:\/\/totp\/Test%20Registry:alice\?/);
    expect(Object.fromEntries(new URL(uri).searchParams)).toEqual({
      issuer: "Test Registry",
      secret,
      algorithm: "SHA1",
      digits: "6",
      period: "30",
    });
    const users = await store.documents.collection<{ _id: number }>({ name: "users", indexes: [] });
    expect(JSON.stringify(await users.find({}))).not.toContain(secret);
    expect((await logsIn("alice", "")).user?.totpEnabled).toBe(false);
    const app = URI.parse(uri);
    if (!("period" in app)) throw new Error("not a TOTP");
    const code = app.generate({ timestamp: replica.surroundings.clock.now().getTime() });
    const wrong = code === "000000" ? "000001" : "000000";
    expect((await failure(replica.auth.confirmTotp({ code: wrong }, me))).reason).toBe("WRONG_OTP");
    await replica.auth.confirmTotp({ code }, me);
    expect((await replica.auth.getMe({}, me)).user?.totpEnabled).toBe(true);
    expect((await failure(replica.auth.beginTotp({ password }, me))).reason).toBe("TOTP_ENABLED");
    expect((await failure(replica.auth.confirmTotp({ code }, me))).reason).toBe("TOTP_NOT_BEGUN");
    // What confirmed it is used up.
    expect((await failure(logsIn("alice", code))).reason).toBe("INVALID_CREDENTIAL");
  });

  it("is asked for at a login, after the right password only", async () => {
    const person = await enables("bob");
    const asked = await failure(logsIn("bob", ""));
    expect([asked.kind, asked.reason]).toEqual(["unauthenticated", "OTP_REQUIRED"]);
    for (const otp of ["", person.code()]) {
      const { reason, message } = await failure(logsIn("bob", otp, replica, "wrong horse"));
      expect([reason, message]).toEqual(["INVALID_CREDENTIAL", "Invalid authentication"]);
    }
    const spaced = `${person.code().slice(0, 3)} ${person.code().slice(3)}`;
    const { user, token } = await logsIn("bob", spaced);
    expect(user).toMatchObject({ username: "bob", totpEnabled: true });
    expect((await replica.auth.getMe({}, bearer(token))).user?.username).toBe("bob");
  });

  it("leaves API tokens as they are", async () => {
    const { me } = await enables("carol");
    const { secret } = await replica.auth.createApiToken({ name: "ci" }, me);
    expect((await replica.auth.getMe({}, bearer(secret))).user?.username).toBe("carol");
  });

  it("takes a code once, on whatever replicas it is tried at once", async () => {
    const person = await enables("dave");
    const code = person.code();
    const attempts = [replica, other, replica, other].map((at) => logsIn("dave", code, at));
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await failure(logsIn("dave", code))).reason).toBe("INVALID_CREDENTIAL");
    forward(step);
    expect((await failure(logsIn("dave", code))).reason).toBe("INVALID_CREDENTIAL");
    expect((await logsIn("dave", person.code())).user?.username).toBe("dave");
  });

  it("bears with a clock that is one step off, no more, and takes no older code after a newer one", async () => {
    const person = await enables("erin");
    for (const steps of [-2, 2]) {
      expect((await failure(logsIn("erin", person.code(steps)))).reason).toBe("INVALID_CREDENTIAL");
    }
    expect((await logsIn("erin", person.code(-1))).user?.username).toBe("erin");
    expect((await logsIn("erin", person.code(1))).user?.username).toBe("erin");
    expect((await failure(logsIn("erin", person.code()))).reason).toBe("INVALID_CREDENTIAL");
  });

  it("cannot be guessed by who knows the password: wrong codes bar the name, and right passwords do not clear them", async () => {
    const person = await enables("frank");
    const right = person.code();
    const wrong = [right, person.code(-1), person.code(1)].includes("000000") ? "999999" : "000000";
    for (let i = 0; i < maxFailures; i++) {
      expect((await failure(logsIn("frank", wrong))).reason).toBe("INVALID_CREDENTIAL");
      if (i % 4 === 0) expect((await failure(logsIn("frank", ""))).reason).toBe("OTP_REQUIRED");
    }
    expect((await failure(logsIn("frank", right))).reason).toBe("TOO_MANY_FAILURES");
    forward(16 * 60_000);
    expect((await logsIn("frank", person.code())).user?.username).toBe("frank");
  });

  it("is given up with the password and a code, after which the password is enough", async () => {
    const person = await enables("grace");
    const disable = (typed: string, code: string) => replica.auth.disableTotp({ password: typed, code }, person.me);
    expect((await failure(disable("wrong horse", person.code()))).reason).toBe("WRONG_PASSWORD");
    expect((await failure(disable(password, ""))).reason).toBe("WRONG_OTP");
    const wrong = [-1, 0, 1].map((steps) => person.code(steps)).includes("000000") ? "999999" : "000000";
    expect((await failure(disable(password, wrong))).reason).toBe("WRONG_OTP");
    const before = (await replica.auth.getRevocationEpoch({})).epoch;
    await disable(password, person.code());
    expect((await replica.auth.getRevocationEpoch({})).epoch).toBeGreaterThan(before);
    expect((await logsIn("grace", "")).user?.totpEnabled).toBe(false);
    expect((await failure(disable(password, person.code()))).reason).toBe("TOTP_NOT_ENABLED");
  });

  it("is taken from who has lost it by the operator's command line alone", async () => {
    const { me } = await enables("heidi");
    const request = { username: "Heidi" };
    for (const options of [me, admin, { as: "service" } as const]) {
      expect((await failure(replica.auth.resetTotp(request, options))).kind).toBe("permission_denied");
    }
    const cli = replica.surroundings.as({ type: "service", name: "cli" });
    await replica.auth.resetTotp(request, cli);
    expect((await logsIn("heidi", "")).user?.totpEnabled).toBe(false);
    expect((await failure(replica.auth.resetTotp(request, cli))).reason).toBe("TOTP_NOT_ENABLED");
    expect((await failure(replica.auth.resetTotp({ username: "ghost" }, cli))).reason).toBe("USER_NOT_FOUND");
  });

  it("that was begun waits for a quarter of an hour", async () => {
    const person = await begins("ivan");
    forward(15 * 60_000);
    expect((await failure(replica.auth.confirmTotp({ code: person.code() }, person.me))).reason).toBe("TOTP_NOT_BEGUN");
  });

  it("is noted when it is begun, enabled, given up and reset, without secrets or codes", () => {
    const noted = replica.notes.filter(({ action }) => action?.startsWith("totp."));
    expect(noted).toContainEqual({ action: "totp.begin", target: "bob" });
    const change = { before: { totp: false }, after: { totp: true } };
    expect(noted).toContainEqual({ action: "totp.enable", target: "bob", ...change });
    const end = { before: { totp: true }, after: { totp: false } };
    expect(noted).toContainEqual({ action: "totp.disable", target: "grace", ...end });
    expect(noted).toContainEqual({ action: "totp.reset", target: "heidi", ...end });
    expect(JSON.stringify(noted)).not.toMatch(/[A-Z2-7]{32}|\d{6}|horse/);
  });
});

describe("a code", () => {
  it("is what RFC 6238 says", () => {
    const secret = Buffer.from("12345678901234567890");
    const vectors: [number, string][] = [
      [59, "287082"],
      [1_111_111_109, "081804"],
      [1_111_111_111, "050471"],
      [1_234_567_890, "005924"],
      [2_000_000_000, "279037"],
      [20_000_000_000, "353130"],
    ];
    for (const [seconds, code] of vectors) {
      expect(stepOf(secret, code, new Date(seconds * 1000))).toBe(Math.floor(seconds / 30));
    }
  });

  it("is six digits, and nothing else is ever taken or thrown for", () => {
    const secret = Buffer.from("12345678901234567890");
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 20 }), (text) => {
        fc.pre(!/^\d{6}$/.test(text.replaceAll(" ", "")));
        return stepOf(secret, text, new Date(59_000)) === undefined;
      }),
    );
  });
});
