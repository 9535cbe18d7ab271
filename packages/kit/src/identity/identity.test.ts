import { createHmac } from "node:crypto";
import { RegistryError, unauthenticated } from "@registry/domain";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TestClock } from "../testing.ts";
import { RevocationEpoch } from "./epoch.ts";
import { type AuthPort, Identity } from "./identity.ts";
import { deriveKeys } from "./keys.ts";
import { issueTicket, ticketHolds } from "./ticket.ts";
import { signInternalToken, verifyInternalToken } from "./token.ts";

const keys = deriveKeys("the secret of these tests, long enough");
const others = deriveKeys("the secret of another registry, as long");

function setUp() {
  const clock = new TestClock();
  const state = { epoch: 0, raisedAt: [] as number[], away: false, exchanges: 0, revoked: false };
  const withdraw = (): void => {
    state.epoch++;
    state.raisedAt.unshift(clock.now().getTime());
  };
  const port: AuthPort = {
    exchange: async (credential) => {
      state.exchanges++;
      if (credential !== "token-of-ann" || state.revoked) throw unauthenticated();
      const exp = Math.floor(clock.now().getTime() / 1000) + 60;
      const claims = {
        iss: "agenticraft-registry",
        exp,
        user_id: 7,
        username: "ann",
        role: "user",
        epoch: state.epoch,
      };
      return signInternalToken(keys, claims as Parameters<typeof signInternalToken>[1]);
    },
    epoch: async () => {
      if (state.away) throw new Error("auth is away");
      const raisedAgoMs = state.raisedAt.map((at) => clock.now().getTime() - at).filter((ago) => ago < 5000);
      return { epoch: state.epoch, raisedAgoMs };
    },
  };
  const another = (): Identity => new Identity(keys, clock, () => port);
  return { clock, state, withdraw, identity: another(), another };
}

describe("who is calling", () => {
  it("is anonymous without a credential and refused with a bad one", async () => {
    const { identity } = setUp();
    expect((await identity.resolve(undefined)).caller.type).toBe("anonymous");
    for (const bad of ["Bearer wrong", "Basic YTpi", "Bearer ", "Bearer a b"]) {
      await expect(identity.resolve(bad)).rejects.toMatchObject({ kind: "unauthenticated" });
    }
  });

  it("is asked at auth once, until a right is withdrawn anywhere", async () => {
    const { identity, state, clock } = setUp();
    const first = await identity.resolve("Bearer token-of-ann");
    expect(first.caller).toMatchObject({ type: "user", id: 7, username: "ann" });
    await identity.resolve("Bearer token-of-ann");
    expect(state.exchanges).toBe(1);
    state.epoch = 1;
    state.revoked = true;
    clock.advance(4001);
    await expect(identity.resolve("Bearer token-of-ann")).rejects.toMatchObject({ kind: "unauthenticated" });
  });

  it("cannot be decided while auth is away for longer than rights may be old", async () => {
    const { identity, state, clock } = setUp();
    await identity.resolve("Bearer token-of-ann");
    state.away = true;
    clock.advance(4001);
    await expect(identity.resolve("Bearer token-of-ann")).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("cannot be decided on what was known, either, after the clock was set back", async () => {
    const { identity, state, clock } = setUp();
    await identity.resolve("Bearer token-of-ann");
    state.away = true;
    clock.advance(-3_600_000);
    await expect(identity.resolve("Bearer token-of-ann")).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("cannot be decided where auth does not answer in time", async () => {
    const late = new RegistryError("deadline_exceeded", "DEADLINE_EXCEEDED", "too late");
    const silent = { exchange: () => Promise.reject(late), epoch: async () => ({ epoch: 0, raisedAgoMs: [] }) };
    const identity = new Identity(keys, new TestClock(), () => silent);
    await expect(identity.resolve("Bearer token-of-ann")).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("bears for a moment with an internal token that another process exchanged before a withdrawal", async () => {
    const { identity, state, clock } = setUp();
    const passedOn = (await identity.resolve("Bearer token-of-ann")).authorization;
    state.epoch = 1;
    clock.advance(1000);
    await identity.epoch.refresh();
    expect((await identity.resolve(passedOn)).caller.type).toBe("user");
    clock.advance(2001);
    const refusal = { kind: "unavailable", reason: "RIGHTS_CHANGED", retryAfterSeconds: 1 };
    await expect(identity.resolve(passedOn)).rejects.toMatchObject(refusal);
  });

  it("is never called a bad credential for somebody else's withdrawal, however late it comes", async () => {
    const { identity: gateway, state, withdraw, clock, another } = setUp();
    const catalog = another();
    await gateway.resolve("Bearer token-of-ann");
    await catalog.epoch.refresh();
    withdraw();
    await catalog.epoch.refresh();
    state.away = true;
    clock.advance(2900);
    const { authorization } = await gateway.resolve("Bearer token-of-ann");
    state.away = false;
    await expect(catalog.resolve(authorization)).rejects.toMatchObject({ reason: "RIGHTS_CHANGED" });
    await gateway.epoch.refresh();
    const next = await gateway.resolve("Bearer token-of-ann");
    expect((await catalog.resolve(next.authorization)).caller.type).toBe("user");
  });

  it("does not bear with it any longer for others that are withdrawn all the time", async () => {
    const { identity, state, clock } = setUp();
    const passedOn = (await identity.resolve("Bearer token-of-ann")).authorization;
    for (let i = 0; i < 60; i++) {
      state.epoch++;
      clock.advance(50);
      await identity.epoch.refresh();
    }
    await expect(identity.resolve(passedOn)).rejects.toMatchObject({ reason: "RIGHTS_CHANGED" });
  });

  it("ends within five seconds of a withdrawal, though a question in between was lost", async () => {
    const { identity, state, clock } = setUp();
    const passedOn = (await identity.resolve("Bearer token-of-ann")).authorization;
    state.epoch = 1;
    state.away = true;
    clock.advance(2000);
    await expect(identity.epoch.refresh()).rejects.toThrow("away");
    state.away = false;
    clock.advance(1900);
    await identity.epoch.refresh();
    clock.advance(1100);
    await expect(identity.resolve(passedOn)).rejects.toMatchObject({ reason: "RIGHTS_CHANGED" });
  });

  it("bears with it, too, in a process that has just started, where others do", async () => {
    const { identity, withdraw, clock, another } = setUp();
    const passedOn = (await identity.resolve("Bearer token-of-ann")).authorization;
    withdraw();
    clock.advance(500);
    const started = another();
    expect((await started.resolve(passedOn)).caller.type).toBe("user");
    clock.advance(2001);
    await expect(started.resolve(passedOn)).rejects.toMatchObject({ reason: "RIGHTS_CHANGED" });
  });

  it("does not bear with it in a process that started later, nor with what another withdrawal ended before", async () => {
    const { identity, withdraw, clock, another } = setUp();
    const first = (await identity.resolve("Bearer token-of-ann")).authorization;
    withdraw();
    clock.advance(4400);
    await identity.epoch.refresh();
    const second = (await identity.resolve("Bearer token-of-ann")).authorization;
    withdraw();
    clock.advance(200);
    const started = another();
    await expect(started.resolve(first)).rejects.toMatchObject({ reason: "RIGHTS_CHANGED" });
    expect((await started.resolve(second)).caller.type).toBe("user");
    clock.advance(4400);
    await expect(another().resolve(second)).rejects.toMatchObject({ reason: "RIGHTS_CHANGED" });
  });

  it("bears with it after questions that were lost, as far as five seconds go", async () => {
    const { identity, state, withdraw, clock } = setUp();
    await identity.resolve("Bearer token-of-ann");
    clock.advance(2000);
    await identity.epoch.refresh();
    const passedOn = (await identity.resolve("Bearer token-of-ann")).authorization;
    state.away = true;
    clock.advance(6000);
    withdraw();
    state.away = false;
    clock.advance(100);
    await identity.epoch.refresh();
    expect((await identity.resolve(passedOn)).caller.type).toBe("user");
    clock.advance(2001);
    await expect(identity.resolve(passedOn)).rejects.toMatchObject({ reason: "RIGHTS_CHANGED" });
  });

  it("is believed of services that share the secret only", async () => {
    const { identity, clock } = setUp();
    expect((await identity.resolve(`Bearer ${identity.serviceToken("catalog")}`)).caller).toEqual({
      type: "service",
      name: "catalog",
    });
    const exp = Math.floor(clock.now().getTime() / 1000) + 60;
    const foreign = signInternalToken(others, { iss: "agenticraft-registry", exp, svc: "catalog" });
    await expect(identity.resolve(`Bearer ${foreign}`)).rejects.toMatchObject({ kind: "unauthenticated" });
  });
});

describe("internal tokens", () => {
  const now = new Date();
  const claims = { iss: "agenticraft-registry", exp: Math.floor(now.getTime() / 1000) + 60, svc: "catalog" } as const;

  it("hold until they end and not with one bit changed", () => {
    const token = signInternalToken(keys, claims);
    expect(verifyInternalToken(keys, token, now)).toEqual(claims);
    expect(verifyInternalToken(keys, token, new Date(now.getTime() + 61_000))).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(..."abcXYZ019_-."), (at, char) => {
        fc.pre(token[at] !== char);
        const changed = token.slice(0, at) + char + token.slice(at + 1);
        // The last character of a signature carries bits that no decoder reads.
        fc.pre(at !== token.length - 1);
        expect(verifyInternalToken(keys, changed, now)).toBeUndefined();
      }),
    );
  });

  it("know one algorithm: a token signed with the public key as a shared secret does not hold", () => {
    const [, body] = signInternalToken(keys, claims).split(".");
    const head = Buffer.from('{"alg":"HS256","typ":"registry-internal+jwt"}').toString("base64url");
    const secret = keys.verifying.export({ type: "spki", format: "pem" });
    const mac = createHmac("sha256", secret).update(`${head}.${body}`).digest("base64url");
    expect(verifyInternalToken(keys, `${head}.${body}.${mac}`, now)).toBeUndefined();
    expect(
      verifyInternalToken(keys, `${Buffer.from('{"alg":"none"}').toString("base64url")}.${body}.`, now),
    ).toBeUndefined();
  });
});

describe("tickets", () => {
  it("hold for their purpose, subject and minute only", () => {
    const now = new Date();
    const ticket = issueTicket(keys, "blob", "abc", now);
    expect(ticketHolds(keys, "blob", "abc", ticket, now)).toBe(true);
    expect(ticketHolds(keys, "blob", "abd", ticket, now)).toBe(false);
    expect(ticketHolds(keys, "other", "abc", ticket, now)).toBe(false);
    expect(ticketHolds(others, "blob", "abc", ticket, now)).toBe(false);
    expect(ticketHolds(keys, "blob", "abc", ticket, new Date(now.getTime() + 61_000))).toBe(false);
    expect(ticketHolds(keys, "blob", "abc", `9${ticket}`, now)).toBe(false);
  });
});

it("asks for the epoch anew when a caller knows that it changed", async () => {
  let asked = 0;
  const epoch = new RevocationEpoch(new TestClock(), async () => ({ epoch: ++asked, raisedAgoMs: [] }));
  await epoch.refresh();
  await epoch.refresh();
  expect(asked).toBe(2);
});
