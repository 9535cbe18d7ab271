import { setTimeout as pause } from "node:timers/promises";
import { keyOf } from "../../invariants/context.ts";
import { sendAgain, sendPoison, withBus } from "../events.ts";
import { tryToPublish } from "../publishing.ts";
import type { Fault, Scene } from "../scene.ts";
import { anyGateway } from "../setting.ts";

const mostCopies = 60;
const passWithinMs = 30_000;
const someMoreMs = 300;
const lookEveryMs = 50;

/** Copies of events that were handled long ago, in any order. */
export const eventsAgain: Fault = {
  kind: "events again, shuffled and a day old",
  async run(scene) {
    const { registry, random } = scene;
    const options = { most: mostCopies, forgottenSeconds: registry.duplicateSeconds };
    const taken = await withBus(registry.stores.nats.url, (bus) => sendAgain(bus, random, options));
    scene.lifted();
    return `${taken} copies`;
  },
};

/** What no consumer can handle must hold up nothing else. */
export const poison: Fault = {
  kind: "poison events",
  async run(scene) {
    const { registry, setting } = scene;
    const ids = await withBus(registry.stores.nats.url, sendPoison);
    for (const id of ids) setting.journal.add({ type: "poison", id });
    scene.lifted();
    const behind = await publishSome(scene, 1);
    if (!(await areNoted(scene, behind, passWithinMs)))
      setting.unexpected("an event behind a poison event has no effect");
    return ids.join(", ");
  },
};

/** As the client of NATS says that the consumer `analytics` has handled an event. */
const acknowledgement = /\$JS\.ACK\.REGISTRY\.analytics\.[^\r\n]*\r\n\+ACK/;

/**
 * A consumer that dies between its write and its acknowledgement, for sure: it says that it has handled an event, that is
 * held up on its way, and it is killed.
 */
export const consumerDies: Fault = {
  kind: "consumer dies before it acknowledges",
  async run(scene) {
    const { stack, link } = scene.registry;
    const consumers = stack.names.filter((name) => name.startsWith("analytics"));
    link.holdFrom(acknowledgement);
    await publishSome(scene, 3);
    const limit = performance.now() + passWithinMs;
    while (link.held === 0 && performance.now() < limit) await pause(lookEveryMs);
    await pause(scene.random.below(someMoreMs));
    const { held } = link;
    if (held === 0) scene.setting.unexpected("a consumer has handled no event for half a minute");
    await Promise.all(consumers.map((name) => stack.kill(name)));
    link.cut();
    scene.lifted();
    await Promise.all(consumers.map((name) => stack.restart(name)));
    return `${held} effects without acknowledgement`;
  },
};

async function publishSome(scene: Scene, count: number): Promise<string[]> {
  const { setting } = scene;
  const published: string[] = [];
  for (let made = 0; made < count; made += 1) {
    const pack = setting.packages.next();
    const status = await tryToPublish(setting, anyGateway(setting), { pack, contested: false });
    if (status === 201) published.push(keyOf(pack));
  }
  return published;
}

async function areNoted({ registry }: Scene, keys: readonly string[], withinMs: number): Promise<boolean> {
  const limit = performance.now() + withinMs;
  while (performance.now() < limit) {
    const found = await registry.noted.countDocuments({ _id: { $in: [...keys] } }).catch(() => 0);
    if (found === keys.length) return true;
    await pause(lookEveryMs);
  }
  return false;
}
