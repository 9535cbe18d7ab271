import { type Bus, createInProcessBus, type Event } from "@registry/bus";
import { encodeEvent } from "@registry/contracts/events";
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { subscribe } from "./consumers.ts";
import { Activities } from "./store/activity.ts";
import { Plugins } from "./store/plugins.ts";
import { Publishes } from "./store/publishes.ts";
import { derived } from "./testing/derived.ts";
import { dyingDocuments } from "./testing/failing.ts";
import { composeReplica, openWorld, type Replica, startReplica, type World } from "./testing/harness.ts";
import { type Deed, deed, History } from "./testing/history.ts";
import { StandInCatalog } from "./testing/neighbours.ts";

const open: { close(): Promise<void> }[] = [];
const closeAll = async () => {
  for (const each of open.splice(0).reverse()) await each.close();
};
afterEach(closeAll);

const told = deed.filter(({ kind }) => kind !== "download" && kind !== "search");

/** The events of a history, in order. */
async function eventsOf(deeds: readonly Deed[], replica: Replica): Promise<Event[]> {
  const events: Event[] = [];
  const publish: World["publish"] = async (subject, message) => {
    const data = encodeEvent(subject, message);
    events.push({ id: `event-${events.length}`, subject, source: "/test", time: new Date(1000), about: "", data });
  };
  const history = new History({ world: { publish }, catalog: new StandInCatalog(), replica });
  for (const each of deeds) await history.do(each);
  return events;
}

async function stateAfter(events: readonly Event[]) {
  const world = await openWorld();
  open.push(world, await startReplica(world));
  await Promise.all(events.map((event) => world.bus.publish(event)));
  return derived(world);
}

it("events have one effect, in whatever order they come and however often", { timeout: 60_000 }, async () => {
  const histories = fc.array(told, { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(histories, fc.infiniteStream(fc.nat()), async (deeds, chance) => {
      try {
        const world = await openWorld();
        open.push(world);
        const replica = await startReplica(world);
        open.push(replica);
        const events = await eventsOf(deeds, replica);
        for (const event of events) await world.bus.publish(event);
        const inOrder = await derived(world);
        const again = { again: { key: "a-day-later" } };
        const twice = [...events, ...events.map((event) => ({ ...event, ...again }))];
        const shuffled = twice
          .map((event) => ({ event, at: chance.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ event }) => event);
        expect(await stateAfter(shuffled)).toEqual(inOrder);
        for (const event of shuffled) await world.bus.publish({ ...event, again: { key: "later-still" } });
        expect(await derived(world)).toEqual(inOrder);
      } finally {
        await closeAll();
      }
    }),
    { numRuns: 25 },
  );
});

const life: Deed[] = [
  { kind: "publish", plugin: "a", version: "1.0.0" },
  { kind: "publish", plugin: "a", version: "2.0.0-rc.1" },
  { kind: "hide", plugin: "a", visibility: "private" },
  { kind: "quarantine", plugin: "a", version: "1.0.0" },
  { kind: "delete", plugin: "a", version: "2.0.0-rc.1" },
];

it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
  "a process that dies at its write number %i, before the event is acknowledged, leaves it to another",
  { timeout: 30_000 },
  async (atWrite) => {
    const world = await openWorld();
    const bus: Bus = createInProcessBus({ log: { info() {}, warn() {}, error() {} }, redelivery: { baseMs: 300 } });
    open.push(world, bus);
    const reference = await composeReplica(world, { bus });
    open.push(reference);
    const events = await eventsOf(life, reference);
    const expected = await stateAfter(events);
    const documents = dyingDocuments(world.documents, atWrite, false);
    const parts = {
      plugins: await Plugins.open(documents),
      publishes: await Publishes.open(documents),
      activities: await Activities.open(documents),
    };
    const subscription = await subscribe(parts, bus);
    const published = Promise.all(events.map((event) => bus.publish(event)));
    const plugins = await documents.collection<{ _id: string }>({ name: "plugins", indexes: [] });
    await vi.waitFor(() => expect(plugins.findOne({ _id: "a" })).rejects.toThrow("the store failed"));
    await subscription.close();
    await reference.service.start();
    await published;
    expect(await derived(world)).toEqual(expected);
    const letters = await world.documents.collection<{ _id: string }>({ name: "dead_letters", indexes: [] });
    expect(await letters.countDocuments({})).toBe(0);
  },
);
