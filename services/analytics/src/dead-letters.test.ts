import { type Bus, type Delivery, type Event, parkedSubject, settledSubject } from "@registry/bus";
import { EventServiceDefinition } from "@registry/contracts/analytics-events";
import type { AuditEntry } from "@registry/contracts/audit";
import { encodeEvent } from "@registry/contracts/events";
import { unavailable } from "@registry/domain";
import type { ServiceClient } from "@registry/kit";
import { userCaller } from "@registry/kit/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DeadLetters } from "./store/dead-letters.ts";
import { administrator, as, openWorld, type Replica, startReplica, type World } from "./testing/harness.ts";
import { auditTable, StandInCatalog } from "./testing/neighbours.ts";

const subject = "registry.test.thing.changed";
const patience = { timeout: 20_000, interval: 50 };
let world: World;
let replica: Replica;
let events: ServiceClient<typeof EventServiceDefinition>;
let catalog: StandInCatalog;
let audit: AuditEntry[];
beforeEach(async () => {
  world = await openWorld();
  replica = await startReplica(world);
  catalog = new StandInCatalog();
  audit = [];
  replica.surroundings.host(catalog.table());
  replica.surroundings.host(auditTable(audit));
  events = replica.surroundings.clients.of(EventServiceDefinition);
});
afterEach(async () => {
  await replica.close();
  await world.close();
});

const admin = () => as(replica, administrator);
const list = async (group = "") => (await events.listDeadLetters({ group }, admin())).deadLetters;
const event = (id: string, data: unknown = { is: id }): Event => ({
  id,
  subject,
  source: "/test",
  time: new Date(5000),
  about: "a-thing",
  data,
});
/** A group that fails while it is told to, at the first delivery already. */
async function group(name: string) {
  const state = { fails: true, got: [] as Delivery[] };
  await world.bus.subscribe({ group: name, subjects: [subject], maxDeliver: 1 }, async (delivery) => {
    state.got.push(delivery);
    if (state.fails) throw new Error("postgres://root:secret@db is broken");
  });
  return state;
}
/** As a bus that brings things again, or late, would tell it. */
const parked = (attempts: number, id = "1", data = "{}", unreadable = false) =>
  world.bus.publish({
    ...event(`parked-${id}-${attempts}-${Math.random()}`),
    subject: parkedSubject,
    data: encodeEvent(parkedSubject, {
      group: "slow",
      event: { ...event(id), time: new Date(5000), data: Buffer.from(data), traceparent: "", unreadable },
      attempts,
      cause: `failure ${attempts}`,
      away: false,
    }),
  });
const settled = (attempts: number) =>
  world.bus.publish({
    ...event(`settled-${Math.random()}`),
    subject: settledSubject,
    data: encodeEvent(settledSubject, { group: "slow", eventId: "1", attempts }),
  });

describe("an event that a group cannot handle", () => {
  it("is listed for administrators, with its cause and without secrets, and shown whole", async () => {
    await group("broken");
    await world.bus.publish(event("1"));
    const [letter] = await list();
    expect(letter).toMatchObject({
      group: "broken",
      eventId: "1",
      subject,
      source: "/test",
      about: "a-thing",
      eventTime: new Date(5000),
      attempts: 1,
      cause: "Error: postgres://[secret]@db is broken",
      state: "parked",
      dataJson: "",
    });
    const { deadLetter } = await events.getDeadLetter({ id: letter?.id ?? "" }, admin());
    expect(JSON.parse(deadLetter?.dataJson ?? "")).toEqual({ is: "1" });
    await expect(events.listDeadLetters({}, as(replica, userCaller("ann")))).rejects.toThrow();
    await expect(events.getDeadLetter({ id: "no-such" }, admin())).rejects.toMatchObject({ kind: "not_found" });
  });

  it("is sent to its group alone again, comes back with more attempts, and goes once it is handled", async () => {
    const broken = await group("broken");
    const fine = await group("fine");
    fine.fails = false;
    await world.bus.publish(event("1"));
    const id = (await list())[0]?.id ?? "";
    const retried = await events.retryDeadLetter({ id }, admin());
    expect(retried.deadLetter).toMatchObject({ id, state: "retrying" });
    await vi.waitFor(async () => expect(await list()).toMatchObject([{ id, state: "parked", attempts: 2 }]));
    broken.fails = false;
    await events.retryDeadLetter({ id }, admin());
    await vi.waitFor(async () => expect(await list()).toEqual([]));
    expect(broken.got).toHaveLength(3);
    expect(fine.got).toHaveLength(1);
    await expect(events.retryDeadLetter({ id }, admin())).rejects.toMatchObject({ kind: "not_found" });
    expect(audit).toMatchObject([{ action: "dead-letter.retry", target: id }, { action: "dead-letter.retry" }]);
  });

  it("is retried by itself where what it needs was away, for as long as that is, and where it was not, never", async () => {
    const group = { isAway: true, got: [] as unknown[] };
    await world.bus.subscribe({ group: "needy", subjects: [subject], maxDeliver: 1 }, async (delivery) => {
      group.got.push(delivery.event.data);
      if (delivery.event.data === "poison") throw new Error("cannot be read");
      if (group.isAway) throw unavailable("the document store");
    });
    for (const data of ["poison", "fine"]) await world.bus.publish(event(data, data));
    const [poison, fine] = await list("needy");
    expect([poison?.retryAt, fine?.state]).toEqual([undefined, "parked"]);
    expect(fine?.retryAt?.getTime()).toBeGreaterThan(fine?.parkedAt?.getTime() ?? Number.NaN);
    await vi.waitFor(async () => expect((await list("needy"))[1]?.attempts).toBe(2), patience);
    group.isAway = false;
    await vi.waitFor(
      async () => expect(await list("needy")).toMatchObject([{ id: poison?.id, attempts: 1 }]),
      patience,
    );
    expect(group.got).toEqual(["poison", "fine", "fine", "fine"]);
    expect(audit).toEqual([]);
  });

  it("stays away once it was dropped, though its end is told again", async () => {
    await parked(3);
    const id = (await list())[0]?.id ?? "";
    await events.dropDeadLetter({ id }, admin());
    await parked(3);
    await parked(2);
    expect(await list()).toEqual([]);
    await expect(events.dropDeadLetter({ id }, admin())).rejects.toMatchObject({ reason: "DEAD_LETTER_NOT_FOUND" });
    expect(audit).toMatchObject([{ action: "dead-letter.drop", target: id, result: "ok" }]);
  });

  it("stays away once it was dropped, though a retry of it was under way and fails", async () => {
    await parked(3);
    const id = (await list())[0]?.id ?? "";
    await events.retryDeadLetter({ id }, admin());
    await events.dropDeadLetter({ id }, admin());
    await parked(6);
    expect(await list()).toEqual([]);
  });

  it("is sent no more where it was dropped before its retry went out", async () => {
    const broken = await group("broken");
    await world.bus.publish(event("1"));
    const id = (await list())[0]?.id ?? "";
    await replica.close();
    let isHeld = true;
    const generation = () => (isHeld ? Promise.reject(unavailable("The bus")) : world.bus.generation());
    const held = Object.assign(Object.create(world.bus) as Bus, { generation });
    for (const name of ["publish", "subscribe", "tap", "lag", "ping"] as const) {
      Object.assign(held, { [name]: world.bus[name].bind(world.bus) });
    }
    replica = await startReplica(world, { bus: held });
    events = replica.surroundings.clients.of(EventServiceDefinition);
    await events.retryDeadLetter({ id }, admin());
    await events.dropDeadLetter({ id }, admin());
    isHeld = false;
    // Another one's retry goes out by the same relay.
    await world.bus.publish(event("2"));
    const other = (await list())[0]?.id ?? "";
    await events.retryDeadLetter({ id: other }, admin());
    await vi.waitFor(() => expect(broken.got.map((each) => each.event.id)).toEqual(["1", "2", "2"]));
  });

  it("is one dead letter, in whatever order and how often it is told", async () => {
    for (const attempts of [4, 2, 4, 6, 2]) await parked(attempts);
    expect(await list()).toMatchObject([{ attempts: 6, cause: "failure 6" }]);
    await settled(4);
    expect(await list()).toHaveLength(1);
    await settled(6);
    for (const attempts of [2, 4, 6]) await parked(attempts);
    expect(await list()).toEqual([]);
  });

  it("comes back where the event is sent to everybody again later, and fails once more", async () => {
    const broken = await group("broken");
    await world.bus.publish(event("1"));
    const id = (await list())[0]?.id ?? "";
    broken.fails = false;
    await events.retryDeadLetter({ id }, admin());
    await vi.waitFor(async () => expect(await list()).toEqual([]));
    broken.fails = true;
    await world.bus.publish({ ...event("1"), again: { key: "replay" } });
    expect(await list()).toMatchObject([{ id, state: "parked", attempts: 1 }]);
  });

  it("is settled before it is known of where that is told first", async () => {
    await settled(2);
    await parked(2);
    expect(await list()).toEqual([]);
    await parked(4);
    expect(await list()).toHaveLength(1);
  });

  it("is retried once at a time", async () => {
    await parked(1);
    const id = (await list())[0]?.id ?? "";
    await events.retryDeadLetter({ id }, admin());
    await expect(events.retryDeadLetter({ id }, admin())).rejects.toMatchObject({ reason: "DEAD_LETTER_UNDER_WAY" });
  });

  it("is not there for a retry that somebody else's drop overtakes", async () => {
    await parked(1);
    const id = (await list())[0]?.id ?? "";
    const retry = vi.spyOn(DeadLetters.prototype, "retry");
    retry.mockImplementationOnce(async () => {
      await events.dropDeadLetter({ id }, admin());
      return null;
    });
    await expect(events.retryDeadLetter({ id }, admin())).rejects.toMatchObject({ reason: "DEAD_LETTER_NOT_FOUND" });
  });

  it("is none of its group's where no event can be made of it again", async () => {
    await parked(1, "1", "not JSON");
    await parked(1, "2");
    expect((await list("slow")).map(({ eventId }) => eventId)).toEqual(["2"]);
  });

  it("that is no event at all is shown and dropped, and never sent to anybody", async () => {
    const slow = await group("slow");
    await parked(1, "unreadable-7-1", '"not JSON"', true);
    const id = (await list())[0]?.id ?? "";
    expect((await events.getDeadLetter({ id }, admin())).deadLetter?.dataJson).toBe('"not JSON"');
    await expect(events.retryDeadLetter({ id }, admin())).rejects.toMatchObject({
      kind: "conflict",
      reason: "DEAD_LETTER_UNREADABLE",
    });
    await events.dropDeadLetter({ id }, admin());
    expect(await list()).toEqual([]);
    expect(slow.got).toEqual([]);
  });

  it("is in one page of many, by group", async () => {
    for (let i = 0; i < 7; i++) await parked(1, `many-${i}`);
    await group("other");
    await world.bus.publish(event("x"));
    const seen: string[] = [];
    for (let pageToken = "", rounds = 0; rounds < 9; rounds++) {
      const page = await events.listDeadLetters({ group: "slow", page: { pageSize: 3, pageToken } }, admin());
      seen.push(...page.deadLetters.map(({ eventId }) => eventId));
      pageToken = page.nextPageToken;
      if (pageToken === "") break;
    }
    expect(seen).toEqual(Array.from({ length: 7 }, (_, i) => `many-${i}`));
    expect(await list("other")).toHaveLength(1);
    for (const page of [{ pageToken: "x" }, { pageSize: 501 }]) {
      await expect(events.listDeadLetters({ page }, admin())).rejects.toMatchObject({ kind: "invalid_argument" });
    }
  });

  it("is passed over by no page, though those of the pages before are dropped meanwhile", async () => {
    vi.spyOn(replica.surroundings.clock, "now").mockReturnValue(new Date());
    for (let i = 0; i < 7; i++) await parked(1, `moment-${i}`);
    const seen: string[] = [];
    for (let pageToken = "", rounds = 0; rounds < 9; rounds++) {
      const page = await events.listDeadLetters({ page: { pageSize: 2, pageToken } }, admin());
      for (const { id, eventId } of page.deadLetters) {
        seen.push(eventId);
        await events.dropDeadLetter({ id }, admin());
      }
      pageToken = page.nextPageToken;
      if (pageToken === "") break;
    }
    expect(seen.sort()).toEqual(Array.from({ length: 7 }, (_, i) => `moment-${i}`));
    expect(await list()).toEqual([]);
  });
});

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const forged = (event: object) => {
  const whole = { id: "1", subject, source: "/test", time: "2026-01-01T00:00:00Z", data: base64("{}"), ...event };
  return { group: "slow", event: whole, attempts: 1 };
};

describe("what is told of a dead letter that nobody could have told", () => {
  it.each([
    ["no object", parkedSubject, null],
    ["a text that is none", parkedSubject, { group: { toString: 1 }, event: {}, attempts: 1 }],
    ["a time that is none", parkedSubject, forged({ time: "soon" })],
    ["a count that is none", parkedSubject, { ...forged({}), attempts: "x" }],
    ["a group that is none", parkedSubject, { ...forged({}), group: "A b" }],
    ["data that cannot be written again", parkedSubject, forged({ data: base64("[".repeat(9000) + "]".repeat(9000)) })],
    ["an event that cannot be sent again", parkedSubject, forged({ subject: "a b" })],
    ["no event, and not how it began", parkedSubject, forged({ unreadable: true })],
    ["a settled count that is none", settledSubject, { group: "slow", eventId: "1", attempts: "x" }],
  ])("is a dead letter itself, which stays with nobody: %s", async (_what, told, data) => {
    await world.bus.publish({ ...event("forged", data), subject: told });
    const [letter] = await list();
    expect(letter).toMatchObject({ group: "dead-letters", eventId: "forged", subject: told, attempts: 1 });
    const { deadLetter } = await events.getDeadLetter({ id: letter?.id ?? "" }, admin());
    expect(JSON.parse(deadLetter?.dataJson ?? "")).toEqual(data);
    await events.dropDeadLetter({ id: letter?.id ?? "" }, admin());
    expect(await list()).toEqual([]);
  });
});

it.each([
  ["registry.catalog.release.published", {}],
  ["registry.catalog.release.published", { plugin: { $ne: "x" }, version: "1.0.0" }],
  ["registry.catalog.release.yanked", { plugin: "x" }],
  ["registry.catalog.plugin.updated", { plugin: "../../x y" }],
  ["registry.catalog.plugin.deleted", []],
  ["registry.catalog.plugin.deleted", { plugin: "x", revision: "many" }],
  ["registry.catalog.plugin.updated", { plugin: "x", visibility: { toString: 1 } }],
  ["registry.catalog.release.published", { plugin: "x", version: "1.0.0", publishedAt: "soon" }],
])("a %s with %j is a dead letter at once, and in no count and no feed", async (poison, data) => {
  await replica.service.start();
  await world.bus.publish({ ...event("poison", data), subject: poison });
  const groups = (await list()).map(({ group, attempts }) => [group, attempts]);
  expect(groups).toEqual(expect.arrayContaining([["changes", 1]]));
  const metrics = await replica.analytics.getMetrics({}, as(replica, administrator));
  expect(metrics).toMatchObject({ totalPlugins: 0, recentPublishes: [] });
});

describe("the state of events", () => {
  it("tells how far groups and outboxes are behind, and who does not answer", async () => {
    await group("broken");
    await world.bus.publish(event("1"));
    const status = await events.getEventStatus({}, admin());
    expect(status.groups).toContainEqual({ group: "broken", waiting: 0, underWay: 0, deadLetters: 1 });
    expect(status.groups.map((each) => each.group)).toEqual(["analytics", "broken", "changes", "dead-letters"]);
    expect(status).toMatchObject({ deadLetters: 1, away: [] });
    expect(status.outboxes).toContainEqual({ outbox: "catalog.plugins", pending: 2, oldest: new Date(1000) });
    catalog.away = true;
    expect((await events.getEventStatus({}, admin())).away).toEqual(["catalog"]);
  });

  it("is in the metrics", async () => {
    await parked(1);
    await replica.close();
    replica = await startReplica(world);
    await vi.waitFor(async () => {
      const text = await replica.surroundings.metrics.registry.metrics();
      expect(text).toContain("registry_dead_letters 1");
      expect(text).toContain('registry_event_lag{group="analytics"} 0');
      expect(text).toContain('registry_outbox_pending{collection="analytics.dead_letters"} 0');
    });
  });

  it("may be replayed from a time on that is not too long ago", async () => {
    const since = new Date(replica.surroundings.clock.now().getTime() - 3600_000);
    expect(await events.replayEvents({ since }, admin())).toEqual({ events: 7 });
    expect(catalog.resent).toMatchObject([{ since }]);
    for (const bad of [undefined, new Date(0), new Date(Date.now() + 60_000)]) {
      await expect(events.replayEvents({ since: bad }, admin())).rejects.toMatchObject({ reason: "INVALID_SINCE" });
    }
  });
});
