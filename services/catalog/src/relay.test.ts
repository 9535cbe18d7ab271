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

function start(collection: Collection<Thing> = things): Relay {
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
  const relay = createRelay({ collection, bus, clock, log, intervalMs: 20 });
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
async function expectKept(_id: string, ...expected: string[]): Promise<void> {
  await vi.waitFor(async () => {
    const thing = await things.findOne({ _id });
    expect(thing?.outbox?.pending ?? []).toEqual([]);
    expect((thing?.outbox?.kept ?? []).map(({ id }) => id).sort()).toEqual(expected);
  });
}

it("carries what is pending in order, unchanged, and keeps it marked", async () => {
  await write("a", event("1"), event("2", { traceparent: "00-ab-cd-01" }));
  start();
  await expectKept("a", "1", "2");
  expect(sent).toEqual([event("1"), event("2", { traceparent: "00-ab-cd-01" })]);
  expect((await things.findOne({ _id: "a" }))?.outbox?.kept?.[0]).toMatchObject({ generation: "first" });
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
  await expectKept("a", "1", "2");
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
  await expectKept("a", "2");
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
