import { createHash } from "node:crypto";
import type { CallOptions } from "@registry/kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatApiToken, hashOf } from "./model/api-token.ts";
import { openApiTokens } from "./store/api-tokens.ts";
import { bearer, failure, from, openStore, type Replica, type Store, startReplica } from "./testing/harness.ts";

const password = "correct horse";
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

let store: Store;
let replica: Replica;
let other: Replica;
let userId: number;
let me: CallOptions;

beforeAll(async () => {
  store = await openStore();
  replica = await startReplica(store);
  other = await startReplica(store);
  const { user, token } = await replica.auth.register({ username: "alice", email: "alice@example.org", password });
  userId = user?.id ?? 0;
  me = bearer(token);
});
afterAll(async () => {
  await other.close();
  await replica.close();
  await store.close();
});

const report = async (...tokens: string[]): Promise<boolean[]> => {
  const secrets = tokens.map((token) => ({ token, url: "https://code.example.org/public/repo/blob/main/.env?raw=1" }));
  const { results } = await replica.auth.reportSecrets({ secrets }, from("192.0.2.7"));
  expect(results.map(({ tokenSha256 }) => tokenSha256)).toEqual(tokens.map(sha256));
  return results.map(({ revoked }) => revoked);
};

describe("a report of leaked secrets", () => {
  it("ends tokens of every kind and logins that hold, everywhere, and tells which they were", async () => {
    const { secret } = await replica.auth.createApiToken({ name: "ci", addresses: ["10.0.0.1"] }, me);
    const publish = formatApiToken(replica.surroundings.ids.secret(32), "acp_");
    await (await openApiTokens(store.documents)).insertOne({
      _id: "publish-token",
      kind: "publish",
      hash: hashOf(publish),
      userId,
      name: "publish",
      scopes: ["publish:tool"],
      createdAt: new Date(),
      hint: "acp_",
    });
    const { token } = await replica.auth.login({ username: "alice", password });
    expect((await other.auth.getMe({}, bearer(token))).user?.username).toBe("alice");
    expect((await other.auth.getMe({}, bearer(publish))).user?.username).toBe("alice");
    const before = (await replica.auth.getRevocationEpoch({})).epoch;
    const look = formatApiToken("A".repeat(43), "acr_");
    expect(await report(secret, look, publish, "something else", token, secret)).toEqual([
      true,
      false,
      true,
      false,
      true,
      true,
    ]);
    expect((await replica.auth.getRevocationEpoch({})).epoch).toBeGreaterThan(before);
    await other.surroundings.identity.epoch.refresh();
    for (const [credential, address] of [
      [secret, "10.0.0.1"],
      [publish, "127.0.0.1"],
      [token, "127.0.0.1"],
    ] as const) {
      expect((await failure(other.auth.getMe({}, bearer(credential, address)))).kind).toBe("unauthenticated");
    }
    expect(await report(secret, publish, token)).toEqual([false, false, false]);
    expect((await replica.auth.getMe({}, me)).user?.username).toBe("alice");
  });

  it("is noted with the tokens' ids and where they were found, and never with what they are", async () => {
    const { token, secret } = await replica.auth.createApiToken({ name: "leaked" }, me);
    const places = [
      `https://user:pass@code.example.org/repo/.env?token=${secret}#${secret}`,
      `https://logs.example.org/t/${secret}/registry.json`,
      "no url",
    ];
    await replica.auth.reportSecrets({ secrets: places.map((url) => ({ token: secret, url })) }, from("192.0.2.7"));
    const note = replica.notes.at(-1);
    expect(note).toEqual({
      action: "secret.report",
      target: token?.id,
      after: { revoked: [token?.id], found_at: ["https://code.example.org/repo/.env", "https://logs.example.org"] },
    });
    await report("not a credential");
    expect(replica.notes.at(-1)).toEqual({ action: "secret.report", unchanged: true });
  });

  it.each([
    ["nothing", [], "/secrets"],
    ["too much", Array.from({ length: 101 }, () => ({ token: "x" })), "/secrets"],
    ["an empty token", [{ token: "x" }, { token: "" }], "/secrets/1/token"],
    ["a token without end", [{ token: "x".repeat(4097) }], "/secrets/0/token"],
    ["an address without end", [{ token: "x", url: "x".repeat(2001) }], "/secrets/0/url"],
  ])("is refused by field where it holds %s, and echoes nothing", async (_, secrets, pointer) => {
    const error = await failure(replica.auth.reportSecrets({ secrets }, from("192.0.2.7")));
    expect([error.kind, error.reason, error.fields[0]?.pointer]).toEqual([
      "invalid_argument",
      "INVALID_REPORT",
      pointer,
    ]);
    expect(error.message).not.toContain("xx");
  });
});
