import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Documents } from "@registry/documents";
import { intercepted } from "@registry/documents/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
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
const open: Replica[] = [];
beforeEach(async () => {
  store = await openStore();
});
afterEach(async () => {
  for (const replica of open.splice(0)) await replica.close();
  await store.close();
});
const file = (name: string): string => join(store.folder, name);
const secretIn = async (name: string): Promise<string> => (await readFile(file(name), "utf8")).trim();
const kept = (replica: Replica): Replica => {
  open.push(replica);
  return replica;
};

/** The store, failing at the first insert into one collection. */
function failingOnce(documents: Documents, name: string, method: "insertOne" | "insertNew"): Documents {
  let failed = false;
  return intercepted(documents, name, method, (call) => {
    if (failed) return call();
    failed = true;
    return Promise.reject(new Error("cut off"));
  });
}

describe("the first administrator", () => {
  it("is made once, with a token in a file that only its owner reads", async () => {
    const first = kept(await startReplica(store));
    expect(first.service.adminTokenFile).toBe(file("admin-token"));
    expect((await stat(file("admin-token"))).mode & 0o777).toBe(0o600);
    const secret = await secretIn("admin-token");
    expect((await first.auth.getMe({}, bearer(secret))).user).toMatchObject({
      id: 1,
      username: "admin",
      role: "admin",
    });
    const second = kept(await startReplica(store));
    expect(second.service.adminTokenFile).toBeUndefined();
    expect(await secretIn("admin-token")).toBe(secret);
  });

  it.each([
    ["of their own", (i: number) => `admin-${i}`],
    ["that they share", () => "admin-shared"],
  ])("is one, however many replicas start at once with files %s", async (_which, name) => {
    const replicas = await Promise.all(
      [0, 1, 2, 3].map((i) => composeReplica(store, { adminTokenFile: file(name(i)) })),
    );
    open.push(...replicas);
    await Promise.all(replicas.map((replica) => replica.service.start()));
    const names = [...new Set([0, 1, 2, 3].map(name))];
    const secrets = await Promise.all(names.map((each) => secretIn(each).catch(() => undefined)));
    const left = secrets.filter((secret) => secret !== undefined);
    expect(left).toHaveLength(1);
    for (const { auth } of replicas) expect((await auth.getMe({}, bearer(left[0] ?? ""))).user?.id).toBe(1);
  });

  it.each([
    ["users", "insertOne"],
    ["tokens", "insertNew"],
  ] as const)("is complete after a crash before the write to %s", async (collection, method) => {
    const documents = failingOnce(store.documents, collection, method);
    const cut = kept(await composeReplica(store, { documents }));
    await expect(cut.service.start()).rejects.toThrow("cut off");
    const secret = await secretIn("admin-token");
    const next = kept(await startReplica(store));
    expect((await next.auth.getMe({}, bearer(secret))).user?.id).toBe(1);
    expect(await secretIn("admin-token")).toBe(secret);
    expect((await failure(next.auth.updateUser({ username: "admin", disabled: true }, bearer(secret)))).reason).toBe(
      "LAST_ADMIN",
    );
  });

  it("keeps the file where the one who read it was faster than the one who made it", async () => {
    const documents = intercepted(store.documents, "users", "insertOne", async (insert) => {
      kept(await startReplica(store));
      return insert();
    });
    const slower = kept(await startReplica(store, { documents }));
    expect(slower.service.adminTokenFile).toBeUndefined();
    const secret = await secretIn("admin-token");
    expect((await slower.auth.getMe({}, bearer(secret))).user?.id).toBe(1);
  });

  it("takes the token of a file that the operator brought", async () => {
    const secret = "brought-by-the-operator-0123456789abcdef";
    await writeFile(file("admin-token"), `${secret}\n`);
    await chmod(file("admin-token"), 0o400);
    const replica = kept(await startReplica(store));
    expect(replica.service.adminTokenFile).toBeUndefined();
    expect((await replica.auth.getMe({}, bearer(secret))).user?.id).toBe(1);
  });

  it("refuses a file without a proper token and says what to do", async () => {
    await writeFile(file("admin-token"), "short\n");
    const replica = kept(await composeReplica(store));
    const error = await failure(replica.service.start());
    expect(error.reason).toBe("INVALID_ADMIN_TOKEN_FILE");
    expect(error.message).toContain("ADMIN_TOKEN_FILE");
  });
});
