import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AuthServiceDefinition } from "@registry/contracts/auth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer, failure, openStore, type Replica, type Store, startReplica } from "./testing/harness.ts";

const password = "correct horse";
let store: Store;
let replica: Replica;
let admin: ReturnType<typeof bearer>;

beforeAll(async () => {
  store = await openStore();
  replica = await startReplica(store);
  admin = bearer((await readFile(join(store.folder, "admin-token"), "utf8")).trim());
});
afterAll(async () => {
  await replica.close();
  await store.close();
});

describe("the audit log", () => {
  it("is told of every call that changes something", () => {
    const rows = replica.service.tables[0]?.rows ?? {};
    for (const [name, method] of Object.entries(AuthServiceDefinition.methods)) {
      const changes = !("idempotencyLevel" in method.options);
      expect([name, rows[name]?.audit !== undefined]).toEqual([name, changes]);
    }
  });

  it("is told whom a call was about and what changed, and never a secret", async () => {
    const request = { username: "Alice", email: "alice@example.org", password };
    const { token } = await replica.auth.register(request);
    const me = bearer(token);
    await failure(replica.auth.login({ username: "ALICE", password: "wrong horse" }));
    await failure(replica.auth.login({ username: "my password is horse", password: "x" }));
    const session = await replica.auth.login({ username: "alice@example.org", password });
    await replica.auth.logout({ token: session.token });
    const made = await replica.auth.createApiToken(
      { name: "ci", scopes: ["read"], readOnly: true, addresses: ["10.0.0.0/8"], expiresInDays: 7 },
      me,
    );
    await replica.auth.revokeApiToken({ id: made.token?.id ?? "" }, me);
    await failure(replica.auth.revokeApiToken({ id: made.secret }, me));
    await replica.auth.updateUser({ username: "alice", role: "publisher", password: "another horse" }, admin);
    await replica.auth.updateUser({ username: "alice" }, admin);
    await replica.auth.createUser({ username: "bob", password, grants: ["publish:tool"] }, admin);
    const login = await replica.auth.login({ username: "alice", password: "another horse" });
    const change = { currentPassword: "another horse", newPassword: "third horse" };
    await replica.auth.changePassword(change, bearer(login.token));

    const user = { role: "user", grants: [], disabled: false, email: "alice@example.org" };
    const ci = {
      name: "ci",
      username: "alice",
      kind: "personal",
      scopes: ["read"],
      read_only: true,
      addresses: ["10.0.0.0/8"],
      expires_at: made.token?.expiresAt?.toISOString(),
    };
    expect(replica.notes).toEqual([
      { action: "user.register", target: "alice", after: user },
      { action: "user.login", target: "alice" },
      { action: "user.login" },
      { action: "user.login", target: "alice" },
      { action: "user.logout", target: expect.stringMatching(/^login:[0-9a-f]{16}$/) },
      { action: "token.create", target: made.token?.id, organisation: undefined, after: ci },
      { action: "token.revoke", target: made.token?.id, organisation: undefined, before: ci },
      { action: "token.revoke" },
      {
        action: "user.update",
        target: "alice",
        before: user,
        after: { ...user, role: "publisher", password: "another one" },
      },
      { action: "user.update", target: "alice", unchanged: true },
      {
        action: "user.create",
        target: "bob",
        after: { role: "user", grants: ["publish:tool"], disabled: false },
      },
      { action: "user.login", target: "alice" },
      { action: "user.password", target: "alice" },
    ]);
    const told = JSON.stringify(replica.notes);
    for (const secret of [token, made.secret, session.token, login.token, "horse", "$argon2"]) {
      expect(told).not.toContain(secret);
    }
  });
});
