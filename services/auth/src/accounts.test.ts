import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { hash as bcryptHash } from "@node-rs/bcrypt";
import { AuthServiceDefinition } from "@registry/contracts/auth";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { maxFailures } from "./store/failures.ts";
import { bearer, failure, openStore, type Replica, type Store, startReplica } from "./testing/harness.ts";

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

const password = "correct horse";

describe("registration", () => {
  it("makes a user of the configured role with an integer id and a token that holds", async () => {
    const { user, token } = await replica.auth.register({ username: "Alice", email: "Alice@example.org", password });
    expect(user).toMatchObject({ username: "alice", email: "Alice@example.org", role: "user", grants: [] });
    expect(user?.id).toBeGreaterThan(1);
    expect((await replica.auth.getMe({}, bearer(token))).user?.username).toBe("alice");
  });

  it("keeps usernames and emails unique regardless of case", async () => {
    await replica.auth.register({ username: "bob", email: "bob@example.org", password });
    const sameName = await failure(replica.auth.register({ username: "BOB", email: "b2@example.org", password }));
    expect([sameName.kind, sameName.reason]).toEqual(["already_exists", "USERNAME_TAKEN"]);
    const sameEmail = await failure(replica.auth.register({ username: "bob2", email: "BOB@example.org", password }));
    expect([sameEmail.kind, sameEmail.reason]).toEqual(["already_exists", "EMAIL_TAKEN"]);
  });

  it.each([
    [{ username: "admin" }, "RESERVED_USERNAME"],
    [{ username: "a" }, "INVALID_USERNAME"],
    [{ username: "-ab" }, "INVALID_USERNAME"],
    [{ username: "a".repeat(40) }, "INVALID_USERNAME"],
    [{ username: "\u212Aate" }, "INVALID_USERNAME"],
    [{ email: "nobody" }, "INVALID_EMAIL"],
    [{ password: "short" }, "INVALID_PASSWORD"],
    [{ password: "x".repeat(257) }, "INVALID_PASSWORD"],
  ])("refuses %j", async (change, reason) => {
    const request = { username: "carol", email: "carol@example.org", password, ...change };
    const error = await failure(replica.auth.register(request));
    expect([error.kind, error.reason]).toEqual(["invalid_argument", reason]);
    expect(error.message).not.toContain(request.password);
  });

  it("is closed where the operator did not open it", async () => {
    const closed = await startReplica(store, { config: { REGISTRATION: "closed" } });
    const error = await failure(closed.auth.register({ username: "dora", email: "dora@example.org", password }));
    expect([error.kind, error.reason]).toEqual(["permission_denied", "REGISTRATION_CLOSED"]);
    await closed.close();
  });

  it("lets exactly one of two replicas have a name", async () => {
    const other = await startReplica(store, { config: { REGISTRATION_ROLE: "publisher" } });
    const outcomes = await Promise.allSettled(
      [replica, other, replica, other].map(({ auth }, i) =>
        auth.register({ username: "erin", email: `erin${i}@example.org`, password }),
      ),
    );
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
    await other.close();
  });
});

describe("login", () => {
  it("takes a username or an email in any case", async () => {
    await replica.auth.register({ username: "frank", email: "frank@example.org", password });
    for (const username of ["frank", "FRANK", "Frank@Example.org"]) {
      expect((await replica.auth.login({ username, password })).user?.username).toBe("frank");
    }
  });

  it("answers the same for a wrong password, an unknown user and one without a password", async () => {
    await replica.auth.createUser({ username: "robot" }, admin);
    for (const username of ["frank", "nobody-here", "robot", ""]) {
      const { kind, reason, message } = await failure(replica.auth.login({ username, password: "wrong password" }));
      expect([kind, reason, message]).toEqual(["unauthenticated", "INVALID_CREDENTIAL", "Invalid authentication"]);
    }
  });

  it("never fails for a fault of its own, whatever is typed", async () => {
    const text = fc.oneof(fc.string({ unit: "binary", maxLength: 40 }), fc.constantFrom("__proto__", "$ne", "\u0000"));
    await fc.assert(
      fc.asyncProperty(text, text, async (username, typed) => {
        const { kind } = await failure(replica.auth.login({ username, password: typed }));
        expect(["unauthenticated", "rate_limited"]).toContain(kind);
      }),
      { numRuns: 30 },
    );
  });

  it("stops guessing after some failures, for unknown names too, and lets in again later", async () => {
    await replica.auth.register({ username: "grace", email: "grace@example.org", password });
    for (const username of ["grace", "ghost"]) {
      for (let i = 0; i < maxFailures; i++) {
        expect((await failure(replica.auth.login({ username, password: "guess" }))).kind).toBe("unauthenticated");
      }
      const error = await failure(replica.auth.login({ username, password }));
      expect([error.kind, error.reason]).toEqual(["rate_limited", "TOO_MANY_FAILURES"]);
      expect(error.retryAfterSeconds).toBeGreaterThan(0);
    }
    replica.surroundings.clock.advance(16 * 60_000);
    expect((await replica.auth.login({ username: "grace", password })).user?.username).toBe("grace");
  });

  it.each(["2a", "2b", "2y"] as const)(
    "verifies bcrypt $%s hashes of another registry and renews them",
    async (version) => {
      const username = `moved-${version}`;
      const passwordHash = await bcryptHash("short", { cost: 4, version });
      await replica.auth.createUser({ username, passwordHash }, admin);
      const users = await store.documents.collection<{ _id: number; passwordHash?: string }>({
        name: "users",
        indexes: [],
      });
      expect((await replica.auth.login({ username, password: "short" })).user?.username).toBe(username);
      expect((await users.findOne({ username }))?.passwordHash).toMatch(/^\$argon2id\$/);
      expect((await replica.auth.login({ username, password: "short" })).user?.username).toBe(username);
      expect((await failure(replica.auth.login({ username, password: "other" }))).kind).toBe("unauthenticated");
    },
  );

  it("refuses hashes that would make a login costly or are none", async () => {
    const costly = (await bcryptHash("short", { cost: 4 })).replace("$04$", "$20$");
    for (const passwordHash of [costly, "plain", "$argon2id$v=19$m=9999999,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"]) {
      const error = await failure(replica.auth.createUser({ username: "costly", passwordHash }, admin));
      expect(error.reason).toBe("INVALID_PASSWORD_HASH");
    }
  });
});

describe("a changed password", () => {
  it("ends earlier logins at once and the new one works within the same second", async () => {
    const { token } = await replica.auth.register({ username: "heidi", email: "heidi@example.org", password });
    const wrong = { currentPassword: "not it", newPassword: "another horse" };
    expect((await failure(replica.auth.changePassword(wrong, bearer(token)))).reason).toBe("WRONG_PASSWORD");
    await replica.auth.changePassword({ currentPassword: password, newPassword: "another horse" }, bearer(token));
    expect((await failure(replica.auth.getMe({}, bearer(token)))).kind).toBe("unauthenticated");
    const again = await replica.auth.login({ username: "heidi", password: "another horse" });
    expect((await replica.auth.getMe({}, bearer(again.token))).user?.username).toBe("heidi");
    expect((await failure(replica.auth.login({ username: "heidi", password }))).kind).toBe("unauthenticated");
  });
});

describe("administration", () => {
  it("is closed to everybody else", async () => {
    const { token } = await replica.auth.login({ username: "frank", password });
    const scoped = await replica.auth.createApiToken({ name: "ci", scopes: ["publish"] }, admin);
    for (const options of [bearer(token), bearer(scoped.secret)]) {
      expect((await failure(replica.auth.listUsers({}, options))).kind).toBe("permission_denied");
      expect((await failure(replica.auth.createUser({ username: "x1" }, options))).kind).toBe("permission_denied");
      expect((await failure(replica.auth.updateUser({ username: "x1" }, options))).kind).toBe("permission_denied");
      expect((await failure(replica.auth.getUser({ username: "frank" }, options))).kind).toBe("permission_denied");
    }
    expect((await failure(replica.auth.listUsers({}))).kind).toBe("unauthenticated");
    const star = await replica.auth.createApiToken({ name: "all", scopes: ["*"] }, admin);
    expect((await replica.auth.listUsers({}, bearer(star.secret))).users.length).toBeGreaterThan(0);
  });

  it("lists every user once, page by page", async () => {
    const seen: number[] = [];
    let pageToken = "";
    do {
      const page = await replica.auth.listUsers({ page: { pageSize: 3, pageToken } }, admin);
      seen.push(...page.users.map((user) => user.id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    const all = await replica.auth.listUsers({ page: { pageSize: 500 } }, admin);
    expect(seen).toEqual(all.users.map((user) => user.id));
    expect((await failure(replica.auth.listUsers({ page: { pageToken: "{}" } }, admin))).reason).toBe(
      "INVALID_PAGE_TOKEN",
    );
  });

  it("changes rights, and the next exchange has them", async () => {
    const { token } = await replica.auth.register({ username: "ivan", email: "ivan@example.org", password });
    const { user } = await replica.auth.updateUser(
      { username: "ivan", role: "publisher", grants: { grants: ["delete:my-plugin"] } },
      admin,
    );
    expect(user).toMatchObject({ role: "publisher", grants: ["delete:my-plugin"] });
    const resolved = await replica.surroundings.identity.resolve(`Bearer ${token}`);
    expect(resolved.caller).toMatchObject({ role: "publisher", grants: ["delete:my-plugin"] });
    await replica.auth.updateUser({ username: "ivan", disabled: true }, admin);
    expect((await failure(replica.auth.getMe({}, bearer(token)))).message).toBe("Invalid authentication");
    const badGrant = replica.auth.updateUser({ username: "ivan", grants: { grants: ["own everything"] } }, admin);
    expect((await failure(badGrant)).reason).toBe("INVALID_RIGHT");
    expect((await failure(replica.auth.updateUser({ username: "ghost" }, admin))).reason).toBe("USER_NOT_FOUND");
  });

  it("keeps at least one administrator, also where two take each other's rights at once", async () => {
    expect((await failure(replica.auth.updateUser({ username: "admin", role: "user" }, admin))).reason).toBe(
      "LAST_ADMIN",
    );
    expect((await failure(replica.auth.updateUser({ username: "admin", disabled: true }, admin))).reason).toBe(
      "LAST_ADMIN",
    );
    await replica.auth.createUser({ username: "second", role: "admin" }, admin);
    const other = await startReplica(store);
    const service = { as: "service" } as const;
    const outcomes = await Promise.allSettled([
      replica.auth.updateUser({ username: "second", role: "user" }, admin),
      other.auth.updateUser({ username: "admin", disabled: true }, admin),
    ]);
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
    const names = ["admin", "second"];
    const both = await Promise.all(names.map((username) => replica.auth.getUser({ username }, service)));
    expect(both.filter(({ user }) => user?.role === "admin" && !user.disabled)).toHaveLength(1);
    await other.close();
  });
});

it("has a policy for each RPC of the contract", () => {
  expect(Object.keys(replica.service.tables[0]?.rows ?? {}).sort()).toEqual(
    Object.keys(AuthServiceDefinition.methods).sort(),
  );
});
