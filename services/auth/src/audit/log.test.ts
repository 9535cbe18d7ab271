import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseHeadLine, verifyHead } from "@registry/audit";
import { intercepted } from "@registry/documents/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AuditWorld, admin, catalog, operator, told } from "../testing/audit.ts";
import { failure } from "../testing/harness.ts";

let world: AuditWorld;
beforeEach(async () => {
  world = await AuditWorld.open();
});
afterEach(() => world.close());

const patience = { timeout: 20_000, interval: 50 };

describe("rows", () => {
  it("follow each other from the first, whatever the services told of their place", async () => {
    const replica = await world.replica();
    await replica.record(told("a"), { ...told("b"), ...{ sequence: 99, hash: "x", previousHash: "y" } });
    await replica.record(told("c", { action: "release.yank" }));
    const rows = await replica.export();
    expect(rows.map(({ sequence, id }) => [sequence, id])).toEqual([
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ]);
    expect(rows[0]).toMatchObject({ ...told("a"), previousHash: "0".repeat(64) });
    expect(rows[2]?.previousHash).toBe(rows[1]?.hash);
    expect(await replica.verify()).toMatchObject({ rows: 3, heads: 1, problemCount: 0 });
    expect((await replica.export(3)).map(({ id }) => id)).toEqual(["c"]);
  });

  it("are there once, however often they are told, and by whomever", async () => {
    const [one, two] = [await world.replica(), await world.replica()];
    await one.record(told("a"), told("a"), told("b"));
    await two.record(told("b"), told("c"), told("a", { actor: "mallory" }));
    await one.record(told("c"));
    expect((await one.export()).map(({ id, actor }) => [id, actor])).toEqual([
      ["a", "olga"],
      ["b", "olga"],
      ["c", "olga"],
    ]);
    expect(await two.verify()).toMatchObject({ problemCount: 0 });
  });

  it("of two replicas that append at once make one chain without a gap", async () => {
    const [one, two] = [await world.replica(), await world.replica()];
    const half = (replica: typeof one, name: string): Promise<void>[] =>
      Array.from({ length: 20 }, (_, i) =>
        replica.record(...Array.from({ length: 5 }, (_, j) => told(`${name}-${i}-${j}`))),
      );
    await Promise.all([...half(one, "one"), ...half(two, "two")]);
    const verdict = await one.verify();
    expect(verdict).toMatchObject({ rows: 200, heads: 1, problemCount: 0 });
    expect(verdict.end.sequence).toBe(200);
    const names = new Set((await two.export()).map(({ id }) => id));
    expect(names.size).toBe(200);
  });

  it("that were kept before their mark was moved are marked by whoever tells them again", async () => {
    const broken = intercepted(world.store.documents, "audit_head", "updateOne", () =>
      Promise.reject(new Error("torn")),
    );
    const dying = await world.replica({ documents: broken });
    expect((await failure(dying.record(told("a")))).kind).toBe("internal");
    const replica = await world.replica();
    expect(await world.rows().then((rows) => rows.countDocuments({}))).toBe(1);
    await replica.record(told("a"));
    expect(await replica.verify()).toMatchObject({ rows: 1, heads: 1, problemCount: 0 });
  });

  it("are taken from services alone, a hundred at once", async () => {
    const replica = await world.replica();
    expect(await failure(replica.audit.recordAudit({ entries: [told("a")] }, replica.as(admin)))).toMatchObject({
      kind: "permission_denied",
    });
    expect(await failure(replica.audit.recordAudit({ entries: [told("a")] }, replica.as(operator)))).toMatchObject({
      kind: "permission_denied",
    });
    const many = Array.from({ length: 101 }, (_, i) => told(`${i}`));
    expect((await failure(replica.record(...many))).reason).toBe("TOO_MANY_ENTRIES");
    expect((await failure(replica.record(told("")))).reason).toBe("INVALID_ENTRY");
    expect(await replica.export()).toEqual([]);
  });

  it("hold no more text than they should", async () => {
    const replica = await world.replica();
    await replica.record(told("a", { target: "x".repeat(10_000), afterJson: "y".repeat(100_000), actor: "\ud800" }));
    const [row] = await replica.export();
    expect([row?.target.length, row?.afterJson.length, row?.actor]).toEqual([256, 16_384, "\ufffd"]);
    expect(await replica.verify()).toMatchObject({ problemCount: 0 });
  });
});

describe("changes of auth itself", () => {
  it("are in the log when they are answered, with what was before and after and without secrets", async () => {
    const replica = await world.replica();
    const { auth } = replica.replica;
    await auth.createUser({ username: "Rita", role: "user", password: "a long enough password" }, replica.as(admin));
    await auth.updateUser({ username: "rita", role: "publisher", password: "another long one" }, replica.as(admin));
    await auth.updateUser({ username: "rita" }, replica.as(admin));
    expect((await failure(auth.updateUser({ username: "nobody", role: "user" }, replica.as(admin)))).kind).toBe(
      "not_found",
    );
    const rows = await replica.export();
    expect(rows.map(({ action, target, result }) => [action, target, result])).toEqual([
      ["user.create", "rita", "ok"],
      ["user.update", "rita", "ok"],
    ]);
    expect(rows[1]).toMatchObject({
      actorType: "user",
      actor: "ada",
      actorId: 1,
      address: "127.0.0.1",
      via: "gateway",
    });
    expect(JSON.parse(rows[1]?.beforeJson ?? "")).toMatchObject({ role: "user" });
    expect(JSON.parse(rows[1]?.afterJson ?? "")).toMatchObject({ role: "publisher" });
    expect(JSON.stringify(rows)).not.toContain("long");
  });

  it("that were refused are told, too", async () => {
    const replica = await world.replica();
    const { auth } = replica.replica;
    const rita = { type: "user", id: 2, username: "rita", role: "user", grants: [] } as const;
    expect((await failure(auth.createUser({ username: "eve" }, replica.as(rita)))).kind).toBe("permission_denied");
    expect(await replica.export()).toMatchObject([
      { action: "user.create", target: "eve", actor: "rita", result: "denied", reason: "PERMISSION_DENIED" },
    ]);
  });
});

describe("somebody who can write to the store", () => {
  const fill = async () => {
    const replica = await world.replica();
    await replica.record(...Array.from({ length: 10 }, (_, i) => told(`row-${i + 1}`)));
    return replica;
  };

  it("is found to have edited a row, also with values of another kind", async () => {
    const replica = await fill();
    const rows = await world.rows();
    await rows.updateOne({ _id: 4 }, { $set: { actor: "mallory" } });
    await rows.updateOne({ _id: 6 }, { $set: { target: 7 } });
    await rows.updateOne({ _id: 8 }, { $unset: { time: true } });
    expect((await replica.verify()).problems).toMatchObject([
      { kind: "changed", sequence: 4 },
      { kind: "changed", sequence: 6 },
      { kind: "changed", sequence: 8 },
    ]);
  });

  it("is found to have taken one out", async () => {
    const replica = await fill();
    await (await world.rows()).deleteOne({ _id: 5 });
    expect((await replica.verify()).problems).toMatchObject([{ kind: "missing", sequence: 5 }]);
  });

  it("is found to have cut off the tail, for ever", async () => {
    await fill();
    await (await world.rows()).deleteMany({ _id: { $gt: 7 } });
    const replica = await world.replica();
    const [cut] = (await replica.verify()).problems;
    expect(cut).toMatchObject({
      kind: "cut",
      sequence: 8,
      message: expect.stringMatching(/says 10 rows, the log ends at 7$/),
    });
    await replica.record(told("later"));
    expect((await replica.export()).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 11]);
    expect((await replica.verify()).problems[0]).toMatchObject({ kind: "missing", sequence: 8 });
  });

  it("cannot move the mark of the end", async () => {
    const replica = await fill();
    const marks = await world.store.documents.collection<{ _id: string; sequence: number; hash: string }>({
      name: "audit_head",
      indexes: [],
    });
    const head = () => replica.audit.getAuditHead({}, replica.as(operator));
    await marks.updateOne({ _id: "end" }, { $set: { sequence: 7 } });
    expect(await failure(head())).toMatchObject({ kind: "rejected", reason: "AUDIT_END_FORGED" });
    await marks.deleteOne({ _id: "end" });
    expect(await failure(head())).toMatchObject({ reason: "AUDIT_END_FORGED" });
    await marks.insertOne({ _id: "end", sequence: 1_000_000, hash: "x" });
    await replica.record(told("later"));
    expect(await replica.verify()).toMatchObject({ rows: 11, heads: 1, problemCount: 0 });
  });
});

describe("the end of the log", () => {
  it("is signed at intervals where it has moved, in the store and in a file that only its owner reads", async () => {
    const replica = await world.replica({ config: { AUDIT_HEAD_SECONDS: 1 } });
    const { keys } = replica.replica.surroundings;
    const path = join(world.store.folder, "audit-heads.jsonl");
    await replica.record(told("a"), told("b"));
    const lines = async () => (await readFile(path, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
    await vi.waitFor(async () => expect(await lines()).toHaveLength(1), patience);
    await replica.record(told("c"));
    await vi.waitFor(async () => expect(await lines()).toHaveLength(2), patience);
    const heads = (await lines()).map((line) => parseHeadLine(line).head);
    expect(heads.map(({ sequence }) => sequence)).toEqual([2, 3]);
    expect(heads.every((head) => verifyHead([keys.audit.verifying], head))).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const rows = await replica.export();
    expect(heads.map(({ hash }) => hash)).toEqual([rows[1]?.hash, rows[2]?.hash]);

    const told1 = await replica.audit.getAuditHead({ limit: 10 }, replica.as(operator));
    expect(told1.kept.map(({ sequence }) => sequence)).toEqual([3, 2]);
    expect(told1.current).toMatchObject({ sequence: 3, hash: rows[2]?.hash });
    expect(told1.publicKey).toBe(keys.audit.verifying.export({ type: "spki", format: "pem" }));
  });

  it("is signed when a replica closes, and not again by one that finds nothing new", async () => {
    const path = join(world.store.folder, "audit-heads.jsonl");
    const first = await world.replica();
    await first.record(told("a"));
    await first.replica.close();
    expect((await readFile(path, "utf8")).trim().split("\n")).toHaveLength(1);
    const second = await world.replica();
    await second.replica.close();
    expect((await readFile(path, "utf8")).trim().split("\n")).toHaveLength(1);
    await writeFile(path, `${await readFile(path, "utf8")}{"sequence":2,"ha`);
    const third = await world.replica();
    await third.record(told("b"));
    await third.replica.close();
    const lines = (await readFile(path, "utf8")).trim().split("\n");
    expect([lines.length, JSON.parse(lines[2] ?? "").sequence]).toEqual([3, 2]);
  });

  it("is for administrators and the operator", async () => {
    const replica = await world.replica();
    expect(await replica.audit.getAuditHead({}, replica.as(admin))).toMatchObject({
      current: { sequence: 0, hash: "0".repeat(64) },
      kept: [],
    });
    expect((await failure(replica.audit.getAuditHead({}, replica.as(catalog)))).kind).toBe("permission_denied");
    const limits = [-1, 1001].map((limit) => failure(replica.audit.getAuditHead({ limit }, replica.as(admin))));
    for (const refused of await Promise.all(limits)) expect(refused.reason).toBe("INVALID_LIMIT");
  });
});
