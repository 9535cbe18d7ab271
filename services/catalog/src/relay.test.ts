import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Bus,
  createInProcessBus,
  createRelay,
  type Event,
  type Outbox,
  outboxIndexes,
  pendingEvent,
  type Relay,
  type RelayedEvent,
  relayedEventsSpec,
} from "@registry/bus";
import { type Collection, type Document, type Documents, openSqliteDocuments } from "@registry/documents";
import { unavailable } from "@registry/domain";
import { createTestSurroundings, TestClock } from "@registry/kit/testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

interface Thing extends Document {
  readonly _id: string;
  readonly outbox?: Outbox;
}

const dayMs = 24 * 3600 * 1000;
const { log } = createTestSurroundings();
let folder: string;
let documents: Documents;
let things: Collection<Thing>;
let keptEvents: Collection<RelayedEvent>;
let clock: TestClock;
let inner: Bus;
let sent: Event[];
let generation: string;
/** May throw, or wait, before the bus takes an event. */
let before: (event: Event) => void | Promise<void>;
const relays: Relay[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "relay-"));
  documents = await openSqliteDocuments({ path: join(folder, "things.db") });
  things = await documents.collection<Thing>({ name: "things", indexes: outboxIndexes });
  keptEvents = await documents.collection<RelayedEvent>(relayedEventsSpec);
  clock = new TestClock();
  inner = createInProcessBus({ log });
  sent = [];
  generation = "first";
  before = () => {};
  await inner.tap(["registry.>"], (event) => sent.push(event));
});
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.close()));
  await inner.close();
  await documents.close();
  await rm(folder, { recursive: true, force: true });
});

function start(collection: Collection<Thing> = things, more: { maxUnderWay?: number } = {}): Relay {
  const bus: Bus = {
    publish: async (event) => {
      await before(event);
      await inner.publish(event);
    },
    subscribe: (options, handle) => inner.subscribe(options, handle),
    tap: (subjects, handle) => inner.tap(subjects, handle),
    ping: () => inner.ping(),
    generation: async () => generation,
    lag: () => inner.lag(),
    close: () => inner.close(),
  };
  const relay = createRelay({ collection, kept: keptEvents, bus, clock, log, intervalMs: 20, ...more });
  relays.push(relay);
  relay.start();
  return relay;
}

function event(id: string, more: Partial<Event> = {}): Event {
  const told = { subject: "registry.test.thing.changed", source: "/test", time: new Date(0), about: "thing" };
  return { id, ...told, data: { "1.0.0": 1, $schema: "x" }, ...more };
}
const write = (_id: string, ...events: Event[]) =>
  things.updateOne({ _id }, { $push: { "outbox.pending": { $each: events.map(pendingEvent) } } }, { upsert: true });
const ids = () => sent.map(({ id }) => id);
const keptIds = async () => (await keptEvents.find({ from: "things" })).map(({ id }) => id);
async function expectKept(_id: string, ...expected: string[]): Promise<void> {
  await vi.waitFor(async () => {
    expect((await things.findOne({ _id }))?.outbox?.pending ?? []).toEqual([]);
    expect(await keptIds()).toEqual(expect.arrayContaining(expected));
  });
}

it("carries what is pending in order, unchanged, and keeps it marked", async () => {
  await write("a", event("1"), event("2", { traceparent: "00-ab-cd-01" }));
  start();
  await expectKept("a", "1", "2");
  expect(sent).toEqual([event("1"), event("2", { traceparent: "00-ab-cd-01" })]);
  expect(await keptEvents.findOne({ _id: "1" })).toMatchObject({ generation: "first", from: "things" });
});

it("looks at once when it is kicked, and by itself when nobody does", async () => {
  const relay = start();
  await write("a", event("1"));
  relay.kick();
  await expectKept("a", "1");
  await write("b", event("2"));
  await expectKept("b", "2");
});

it("waits for a bus that is away", async () => {
  let tries = 0;
  before = () => {
    tries += 1;
    throw unavailable("The bus");
  };
  await write("a", event("1"));
  start();
  await vi.waitFor(() => expect(tries).toBeGreaterThan(2));
  expect((await things.findOne({ _id: "a" }))?.outbox?.pending).toHaveLength(1);
  before = () => {};
  await expectKept("a", "1");
});

it("sends everything that it keeps again to a bus that may have lost it", async () => {
  await write("a", event("1"), event("2"));
  await write("b", event("3"));
  start();
  await expectKept("a", "1", "2");
  await expectKept("b", "3");
  sent.length = 0;
  generation = "second";
  await vi.waitFor(() => expect(ids().sort()).toEqual(["1", "2", "3"]));
  // They are marked a moment after they are heard of.
  await vi.waitFor(async () => expect(await keptEvents.countDocuments({ generation })).toBe(3));
  sent.length = 0;
  start();
  await write("c", event("4"));
  await expectKept("c", "4");
  expect(new Set(ids())).toEqual(new Set(["4"]));
});

it("keeps for seven days, then forgets", async () => {
  await write("a", event("1"));
  const relay = start();
  await expectKept("a", "1");
  clock.advance(6.9 * dayMs);
  await write("a", event("2"));
  await expectKept("a", "1", "2");
  clock.advance(0.2 * dayMs);
  relay.kick();
  await vi.waitFor(async () => expect(await keptIds()).toEqual(["2"]));
});

it("puts aside what can never be carried, and lets nothing slow hold up the rest", async () => {
  before = (told) => (told.id === "slow" ? new Promise<void>(() => {}) : undefined);
  await write("a", event("slow"), event("1"));
  await write("b", event("no spaces allowed"), event("2"));
  start();
  await vi.waitFor(() => expect(ids().sort()).toEqual(["1", "2"]));
  await expectKept("b", "2", "no spaces allowed");
});

it("sends again under the same id what a crash left unmarked", async () => {
  let marks = 0;
  const crashing = new Proxy(things, {
    get: (target, property) => {
      if (property === "updateOne" && ++marks === 1) return () => Promise.reject(unavailable("The store"));
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await write("a", event("1"));
  start(crashing);
  await expectKept("a", "1");
  expect(ids()).toEqual(["1", "1"]);
});

it("may run on several replicas at once", async () => {
  for (let i = 0; i < 50; i++) await write(`thing-${i}`, event(`${i}-a`), event(`${i}-b`));
  start();
  start();
  for (let i = 0; i < 50; i++) await expectKept(`thing-${i}`, `${i}-a`, `${i}-b`);
  expect(new Set(ids()).size).toBe(100);
});

it("sends what somebody wishes once more, to everybody and no repetition, by whichever replica", async () => {
  await write("a", event("1"), event("directed", { again: { key: "r1", group: "one", attempts: 3 } }));
  const relay = start();
  await expectKept("a", "1", "directed");
  clock.advance(dayMs);
  await write("a", event("2"));
  await expectKept("a", "2");
  await relay.close();
  sent.length = 0;
  const since = new Date(clock.now().getTime() - dayMs / 2);
  expect(await relay.replay({ key: "wish-1", since })).toBe(1);
  start();
  await vi.waitFor(() => expect(sent).toEqual([event("2", { again: { key: "wish-1" } })]));
  expect(await relay.replay({ key: "wish-2", since: new Date(0) })).toBe(2);
  await vi.waitFor(() => expect(ids()).toEqual(["2", "1", "2"]), { timeout: 15_000 });
  await vi.waitFor(async () => expect(await keptEvents.countDocuments({ generation: "first" })).toBe(3));
});

it("takes over what documents of an older program keep themselves", async () => {
  const kept = { ...pendingEvent(event("old")), relayedAt: clock.now(), generation: "zeroth" };
  await things.insertOne({ _id: "a", outbox: { kept: [kept] } });
  start();
  await vi.waitFor(async () => expect((await things.findOne({ _id: "a" }))?.outbox?.kept).toEqual([]));
  expect(await keptIds()).toEqual(["old"]);
});

it("leaves a document that changes very often as small as it was", async () => {
  const relay = start();
  for (let round = 0; round < 20; round++) {
    await write("hot", ...Array.from({ length: 50 }, (_, i) => event(`${round}-${i}`)));
    relay.kick();
  }
  await vi.waitFor(async () => expect(await keptIds()).toHaveLength(1000), { timeout: 10_000 });
  await vi.waitFor(async () => expect(JSON.stringify(await things.findOne({ _id: "hot" })).length).toBeLessThan(100));
});

it("lets more poison than may be under way hold up nobody", async () => {
  before = (told) => (told.id.startsWith("poison") ? new Promise<void>(() => {}) : undefined);
  for (let i = 0; i < 8; i++) await write(`p${i}`, event(`poison-${i}`));
  await write("p0", event("1"));
  const relay = start(things, { maxUnderWay: 4 });
  await write("z", event("2"));
  await vi.waitFor(() => expect(ids().sort()).toEqual(["1", "2"]), { timeout: 15_000 });
  await write("p3", event("3"));
  await vi.waitFor(() => expect(ids()).toContain("3"), { timeout: 15_000 });
  await vi.waitFor(async () => expect(await relay.backlog()).toMatchObject({ collection: "things", pending: 8 }));
});

it("tells how many events wait, and since when", async () => {
  const relay = start();
  expect(await relay.backlog()).toEqual({ collection: "things", pending: 0, oldest: undefined });
  await relay.close();
  await write("a", event("1", { time: new Date(5000) }), event("2", { time: new Date(3000) }));
  await write("b", event("3", { time: new Date(4000) }));
  expect(await relay.backlog()).toEqual({ collection: "things", pending: 3, oldest: new Date(3000) });
});

it("does not keep events that are sent once more behind one that the bus takes long for", async () => {
  const relay = start();
  const pending = Array.from({ length: 150 }, (_, i) => pendingEvent(event(`e${i}`)));
  await things.insertOne({ _id: "a", outbox: { pending } });
  relay.kick();
  await vi.waitFor(() => expect(sent).toHaveLength(150), { timeout: 10_000 });
  const slow = Promise.withResolvers<void>();
  before = ({ id }) => (id === "e0" ? slow.promise : undefined);
  await vi.waitFor(async () => expect(await keptEvents.countDocuments({})).toBe(150), { timeout: 10_000 });
  expect(await relay.replay({ key: "wish", since: new Date(0) })).toBe(150);
  await vi.waitFor(() => expect(sent).toHaveLength(150 + 149), { timeout: 10_000 });
  // Another wish meanwhile is not waited for either.
  expect(await relay.replay({ key: "another", since: new Date(0) })).toBe(150);
  await vi.waitFor(() => expect(sent).toHaveLength(150 + 149 + 149), { timeout: 10_000 });
  slow.resolve();
  await vi.waitFor(() => expect(sent.filter(({ id }) => id === "e0").length).toBeGreaterThan(1), { timeout: 10_000 });
});
