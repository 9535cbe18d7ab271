import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isRegistryError } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { authSettings } from "./config.ts";
import {
  bearer,
  beginWindow,
  failure,
  from,
  openStore,
  type Replica,
  type Store,
  startReplica,
} from "./testing/harness.ts";

const password = "correct horse";
const minute = 60;
const hour = 3600;
const limits = {
  RATE_LIMIT_LOGINS: 5,
  RATE_LIMIT_REGISTRATIONS: 4,
  RATE_LIMIT_TOKENS: 6,
  RATE_LIMIT_FAILED_CREDENTIALS: 7,
  RATE_LIMIT_REPORTS: 3,
};
const [here, there] = ["192.0.2.7", "198.51.100.9"];

let store: Store;
let replicas: Replica[];
let admin: string;

beforeEach(async () => {
  store = await openStore();
  replicas = [await startReplica(store, { config: limits }), await startReplica(store, { config: limits })];
  admin = (await readFile(join(store.folder, "admin-token"), "utf8")).trim();
});
afterEach(async () => {
  for (const replica of replicas) await replica.close();
  await store.close();
});

const one = (index = 0): Replica => replicas[index % replicas.length] as Replica;

/** Asks at once over both replicas. @returns what each came to: `ok`, or the reason why not */
async function race(count: number, ask: (replica: Replica, index: number) => Promise<unknown>): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => outcomeOf(ask(one(index), index))));
}

function outcomeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "ok",
    (error: unknown) => (isRegistryError(error) ? error.reason : String(error)),
  );
}

const among = (outcomes: readonly string[], outcome: string): number =>
  outcomes.filter((one) => one === outcome).length;

describe("limits of auth, over two replicas at once", () => {
  it("let in exactly as many registrations of an address in an hour", async () => {
    beginWindow(replicas, hour);
    const register = (address: string, stem: string) => (replica: Replica, index: number) =>
      replica.auth.register(
        { username: `${stem}-${index}`, email: `${stem}-${index}@example.org`, password },
        from(address),
      );
    const outcomes = await race(9, register(here, "here"));
    expect([among(outcomes, "ok"), among(outcomes, "RATE_LIMITED")]).toEqual([4, 5]);
    expect(await race(2, register(there, "there"))).toEqual(["ok", "ok"]);
  });

  it("let in exactly as many logins of an address in a minute, right or wrong, and say when to come again", async () => {
    await one().auth.createUser({ username: "alice", password }, bearer(admin));
    beginWindow(replicas, minute);
    const login = (address: string, typed: string) => (replica: Replica) =>
      replica.auth.login({ username: "alice", password: typed }, from(address));
    expect(await race(2, login(here, "wrong password"))).toEqual(["INVALID_CREDENTIAL", "INVALID_CREDENTIAL"]);
    const outcomes = await race(8, login(here, password));
    expect([among(outcomes, "ok"), among(outcomes, "RATE_LIMITED")]).toEqual([3, 5]);
    const error = await failure(login(here, password)(one()));
    expect(error.kind).toBe("rate_limited");
    expect(error.retryAfterSeconds).toBeGreaterThan(0);
    expect(error.retryAfterSeconds).toBeLessThanOrEqual(minute);
    expect(await outcomeOf(login(there, password)(one()))).toBe("ok");
    beginWindow(replicas, minute);
    expect(await outcomeOf(login(here, password)(one(1)))).toBe("ok");
  });

  it("count a changed password among the logins of its address", async () => {
    const { token } = await one().auth.register({ username: "bob", email: "bob@example.org", password }, from(there));
    beginWindow(replicas, minute);
    const change = { currentPassword: "wrong password", newPassword: "another horse" };
    const outcomes = await race(7, (replica) => replica.auth.changePassword(change, bearer(token, here)));
    expect([among(outcomes, "WRONG_PASSWORD"), among(outcomes, "RATE_LIMITED")]).toEqual([5, 2]);
  });

  it("make exactly as many tokens for a user in an hour, and count none that was not made", async () => {
    await one().auth.createUser({ username: "carol", password }, bearer(admin));
    const { token } = await one().auth.login({ username: "carol", password }, from(here));
    beginWindow(replicas, hour);
    const create = (credential: string) => (replica: Replica, index: number) =>
      replica.auth.createApiToken({ name: `token ${index}` }, bearer(credential, here));
    expect(await race(3, (replica) => replica.auth.createApiToken({ name: "" }, bearer(token)))).toEqual(
      Array(3).fill("INVALID_TOKEN_NAME"),
    );
    const outcomes = await race(10, create(token));
    expect([among(outcomes, "ok"), among(outcomes, "RATE_LIMITED")]).toEqual([6, 4]);
    expect((await one().auth.listApiTokens({}, bearer(token))).tokens).toHaveLength(6);
    expect(await outcomeOf(create(admin)(one(), 0))).toBe("ok");
  });

  it("answer exactly as many credentials that do not hold with 401, and go on letting in those that do", async () => {
    beginWindow(replicas, minute);
    const bad = (address: string) => (replica: Replica, index: number) =>
      replica.auth.getMe({}, bearer(`acr_wrong-${index}`, address));
    const outcomes = await race(12, bad(here));
    expect([among(outcomes, "INVALID_CREDENTIAL"), among(outcomes, "RATE_LIMITED")]).toEqual([7, 5]);
    expect((await one(1).auth.getMe({}, bearer(admin, here))).user?.username).toBe("admin");
    expect(await outcomeOf(bad(there)(one(), 0))).toBe("INVALID_CREDENTIAL");
    expect(await outcomeOf(one().auth.logout({ token: "acr_wrong" }, from(here)))).toBe("RATE_LIMITED");
    beginWindow(replicas, minute);
    expect(await outcomeOf(bad(here)(one(), 0))).toBe("INVALID_CREDENTIAL");
  });

  it("count an IPv6 address with its whole network, however it is spelt", async () => {
    beginWindow(replicas, minute);
    const spellings = ["2001:db8::1", "2001:0db8:0:0:1::", "2001:DB8::ffff:2", "2001:db8:0:0:9:9:9:9"];
    const outcomes = await race(9, (replica, index) =>
      replica.auth.getMe({}, bearer("acr_wrong", spellings[index % spellings.length])),
    );
    expect([among(outcomes, "INVALID_CREDENTIAL"), among(outcomes, "RATE_LIMITED")]).toEqual([7, 2]);
    expect(await outcomeOf(one().auth.getMe({}, bearer("acr_wrong", "2001:db8:0:1::1")))).toBe("INVALID_CREDENTIAL");
  });

  it("count direct callers under the other end of their connection, whatever address they claim", async () => {
    beginWindow(replicas, minute);
    const exchange = (replica: Replica, index: number): Promise<unknown> => {
      const [table] = replica.service.tables;
      if (table === undefined) throw new Error("no table");
      const claimed = `203.0.113.${index}`;
      const meta = { authorization: undefined, peer: here, address: claimed, requestId: "x", timeoutMs: 5000 };
      const request = { credential: "acr_wrong", address: claimed };
      return replica.surroundings.pipeline.unary(table, "exchangeCredential", request, { ...meta, signal: undefined });
    };
    const outcomes = await race(10, exchange);
    expect([among(outcomes, "INVALID_CREDENTIAL"), among(outcomes, "RATE_LIMITED")]).toEqual([7, 3]);
  });

  it("take exactly as many reports of an address in an hour", async () => {
    beginWindow(replicas, hour);
    const outcomes = await race(5, (replica) =>
      replica.auth.reportSecrets({ secrets: [{ token: "acr_found" }] }, from(here)),
    );
    expect([among(outcomes, "ok"), among(outcomes, "RATE_LIMITED")]).toEqual([3, 2]);
  });
});

it("count wrong passwords for an address apart from logins, so that the right one goes on working behind it", async () => {
  const replica = await startReplica(store, { config: { ...limits, RATE_LIMIT_LOGINS: 0 } });
  await replica.auth.createUser({ username: "dave", password }, bearer(admin));
  beginWindow([replica], minute);
  const spray = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      outcomeOf(replica.auth.login({ username: `user-${index}`, password: "winter" }, from(here))),
    ),
  );
  expect([among(spray, "INVALID_CREDENTIAL"), among(spray, "RATE_LIMITED")]).toEqual([7, 3]);
  expect(await outcomeOf(replica.auth.login({ username: "dave", password }, from(here)))).toBe("ok");
  await replica.close();
});

it("stand at strict defaults, each of which can be turned off", () => {
  const defaults = Object.entries(authSettings).filter(([name]) => name.startsWith("RATE_LIMIT_"));
  expect(Object.fromEntries(defaults.map(([name, { fallback }]) => [name, fallback]))).toEqual({
    RATE_LIMIT_LOGINS: 20,
    RATE_LIMIT_REGISTRATIONS: 20,
    RATE_LIMIT_TOKENS: 60,
    RATE_LIMIT_FAILED_CREDENTIALS: 60,
    RATE_LIMIT_REPORTS: 60,
  });
  for (const [, setting] of defaults) expect(setting.parse("0")).toBe(0);
});
