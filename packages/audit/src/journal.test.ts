import { intercepted } from "@registry/documents/testing";
import { unavailable } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { change, JournalWorld } from "./testing/world.ts";

let world: JournalWorld;
beforeEach(async () => {
  world = await JournalWorld.open();
});
afterEach(() => world.close());

const patience = { timeout: 20_000, interval: 20 };

describe("a change", () => {
  it("is written down before it is made, and in the log when it is answered", async () => {
    const journal = await world.journal();
    await journal.begin(change("a"));
    expect(await world.kept()).toEqual({ a: "open" });
    expect(world.auditLog.rows.size).toBe(0);
    await journal.end("a", "ok", { before: { state: "published" }, after: { state: "yanked" } }, "");
    expect(world.auditLog.rows.get("a")).toEqual({
      id: "a",
      time: expect.any(Date),
      actorType: "user",
      actor: "olga",
      actorId: 11,
      tokenId: "",
      address: "192.0.2.7",
      via: "gateway",
      action: "release.yank",
      target: "pump@1.0.0",
      organisation: "",
      beforeJson: '{"state":"published"}',
      afterJson: '{"state":"yanked"}',
      result: "ok",
      reason: "",
      requestId: "request-1",
    });
    await vi.waitFor(async () => expect(await world.kept()).toEqual({}), patience);
  });

  it("must not be made where it cannot be written down", async () => {
    const away = intercepted(world.documents, "audit_journal", "insertOne", () => Promise.reject(new Error("full")));
    const journal = await world.journal(away);
    await expect(journal.begin(change("a"))).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("that changed nothing leaves nothing", async () => {
    const journal = await world.journal();
    await journal.begin(change("a"));
    await journal.drop("a");
    expect(await world.kept()).toEqual({});
    expect(world.auditLog.rows.size).toBe(0);
  });

  it("that was refused before it began is told, too", async () => {
    const journal = await world.journal();
    await journal.refuse(change("a"), "PERMISSION_DENIED");
    expect(world.auditLog.rows.get("a")).toMatchObject({ result: "denied", reason: "PERMISSION_DENIED" });
  });

  it("that names a credential where a name was to stand does not keep it", async () => {
    const journal = await world.journal();
    const token = `acs_${"x".repeat(43)}abcdef`;
    const padding = "x".repeat(230);
    await journal.refuse(change("a", { target: token, organisation: token, requestId: token }), "PERMISSION_DENIED");
    await journal.refuse(change("b", { target: `${padding} ${token}` }), "PERMISSION_DENIED");
    expect(world.auditLog.rows.get("a")).toMatchObject({
      target: "[secret]",
      organisation: "[secret]",
      requestId: "[secret]",
    });
    expect(world.auditLog.rows.get("b")?.target).toBe(`${padding} [secret]`);
  });

  it("goes with those that end beside it", async () => {
    const journal = await world.journal();
    const ids = Array.from({ length: 150 }, (_, i) => `change-${i}`);
    await Promise.all(ids.map((id) => journal.begin(change(id))));
    await Promise.all(ids.map((id) => journal.end(id, "ok", {}, "")));
    expect(world.auditLog.rows.size).toBe(150);
    expect(world.auditLog.batches.length).toBeLessThan(20);
    expect(Math.max(...world.auditLog.batches)).toBeLessThanOrEqual(100);
  });
});

describe("while the log is away", () => {
  it("changes go on, wait in the store, and are told once it is back, by another process if need be", async () => {
    const journal = await world.journal();
    world.auditLog.isAway = true;
    for (const id of ["a", "b", "c"]) {
      await journal.begin(change(id));
      await journal.end(id, "ok", {}, "");
    }
    expect(await world.kept()).toEqual({ a: "done", b: "done", c: "done" });
    await journal.close();
    world.auditLog.isAway = false;
    world.clock.advance(10_000);
    (await world.journal()).start();
    await vi.waitFor(async () => expect(await world.kept()).toEqual({}), patience);
    expect(world.auditLog.results.map(([id]) => id).sort()).toEqual(["a", "b", "c"]);
  });

  it("the same journal tries again by itself, and tells each once", async () => {
    const journal = await world.journal();
    journal.start();
    world.auditLog.isAway = true;
    await journal.begin(change("a"));
    await journal.end("a", "failed", {}, "UNAVAILABLE");
    world.auditLog.isAway = false;
    world.clock.advance(10_000);
    await vi.waitFor(async () => expect(await world.kept()).toEqual({}), patience);
    expect(world.auditLog.results).toEqual([["a", "failed"]]);
  });

  it("nobody waits for a log that does not answer for longer than a second", async () => {
    const journal = await world.journal();
    const answer = Promise.withResolvers<void>();
    world.auditLog.beforeAnswer = () => answer.promise;
    await journal.begin(change("a"));
    await journal.end("a", "ok", {}, "");
    expect(await world.kept()).toEqual({ a: "done" });
    answer.resolve();
    await vi.waitFor(async () => expect(await world.kept()).toEqual({}), patience);
  });

  it("an acknowledgement that was lost makes no second row", async () => {
    const journal = await world.journal();
    world.auditLog.beforeAnswer = () => Promise.reject(unavailable("The audit log"));
    await journal.begin(change("a"));
    await journal.end("a", "ok", {}, "");
    expect(await world.kept()).toEqual({ a: "done" });
    world.auditLog.beforeAnswer = async () => undefined;
    world.clock.advance(10_000);
    (await world.journal()).start();
    await vi.waitFor(async () => expect(await world.kept()).toEqual({}), patience);
    expect(world.auditLog.batches).toEqual([1, 1]);
    expect(world.auditLog.rows.size).toBe(1);
  });
});

describe("a process that ends between a change and its end", () => {
  it("leaves it to the others, who say that it was interrupted, once it can no longer be under way", async () => {
    const dead = await world.journal();
    await dead.begin(change("long", { longestMs: 3_600_000 }));
    await dead.begin(change("short"));
    const [one, two] = [await world.journal(), await world.journal()];
    one.start();
    two.start();
    world.clock.advance(119_000);
    await (await world.journal()).refuse(change("meanwhile"), "PERMISSION_DENIED");
    expect(await world.kept()).toMatchObject({ long: "open", short: "open" });
    world.clock.advance(10_000);
    await vi.waitFor(() => expect(world.auditLog.rows.has("short")).toBe(true), patience);
    expect(world.auditLog.rows.get("short")).toMatchObject({
      result: "interrupted",
      reason: "INTERRUPTED",
      target: "pump@1.0.0",
    });
    expect(world.auditLog.rows.has("long")).toBe(false);
    await vi.waitFor(async () => expect(await world.kept()).toEqual({ long: "open" }), patience);
  });

  it("was stopped rather than dead: what it says later does not change what was told", async () => {
    const slow = await world.journal();
    await slow.begin(change("a"));
    world.clock.advance(130_000);
    const other = await world.journal();
    other.start();
    await vi.waitFor(() => expect(world.auditLog.results).toEqual([["a", "interrupted"]]), patience);
    await slow.end("a", "ok", {}, "");
    expect(world.auditLog.results).toEqual([["a", "interrupted"]]);
  });

  it("had told the log already: nothing is told twice", async () => {
    const neverSaved = intercepted(world.documents, "audit_journal", "updateOne", () => new Promise(() => undefined));
    const neverRemoved = intercepted(neverSaved, "audit_journal", "deleteOne", () => new Promise(() => undefined));
    const dying = await world.journal(neverRemoved);
    await dying.begin(change("a"));
    void dying.end("a", "ok", {}, "");
    await vi.waitFor(() => expect(world.auditLog.results).toEqual([["a", "ok"]]), patience);
    world.clock.advance(130_000);
    (await world.journal()).start();
    await vi.waitFor(async () => expect(await world.kept()).toEqual({}), patience);
    expect(world.auditLog.results).toEqual([["a", "ok"]]);
  });
});

it("an end that the store could not take is kept and written later", async () => {
  let isAway = true;
  const flaky = intercepted(world.documents, "audit_journal", "updateOne", (call) =>
    isAway ? Promise.reject(unavailable("The store")) : call(),
  );
  const journal = await world.journal(flaky);
  journal.start();
  world.auditLog.isAway = true;
  await journal.begin(change("a"));
  await journal.end("a", "ok", { after: { state: "yanked" } }, "");
  expect(await world.kept()).toEqual({ a: "open" });
  isAway = false;
  world.auditLog.isAway = false;
  await vi.waitFor(() => expect(world.auditLog.results).toEqual([["a", "ok"]]), patience);
  expect(world.auditLog.rows.get("a")?.afterJson).toBe('{"state":"yanked"}');
});
