import type { Documents } from "@registry/documents";
import { intercepted } from "@registry/documents/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rows } from "../testing/derived.ts";
import { dyingDocuments } from "../testing/failing.ts";
import { verify } from "./testing/receiver.ts";
import { hourMs, minuteMs, olga, sam, WebhookWorld } from "./testing/world.ts";

let world: WebhookWorld;
beforeEach(async () => {
  world = await WebhookWorld.open();
});
afterEach(() => world.close());

/** The store as a process sees it that dies at its n-th write about webhooks. */
function dyingOf(documents: Documents, atWrite: number, lost: boolean): Documents {
  const dying = dyingDocuments(documents, atWrite, lost);
  const mortal = ["webhooks", "webhook_deliveries", "change_marks"];
  return {
    ...dying,
    collection: (spec) => (mortal.includes(spec.name) ? dying : documents).collection(spec),
  };
}

describe("several replicas", () => {
  it("share the work, and send nothing twice", async () => {
    const config = { WEBHOOK_CONCURRENCY: 2 };
    for (let i = 0; i < 3; i++) await world.start({ config });
    const callers = [olga, sam];
    const made = await Promise.all(
      callers.flatMap((caller) => Array.from({ length: 4 }, () => world.create({}, caller))),
    );
    let underWay = 0;
    let most = 0;
    world.receiver.answers = async () => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay--;
      return 200;
    };
    const plugins = Array.from({ length: 40 }, (_, i) => `pump-${i}`);
    // Each twice, as a bus may deliver it.
    await Promise.all(
      plugins.flatMap((plugin) => [world.publish(plugin, "1.0.0", plugin), world.publish(plugin, "1.0.0", plugin)]),
    );
    await world.until(() => expect(world.receiver.book.size).toBe(320));
    for (const { id } of made) await world.attempts(id, 40);
    expect(world.receiver.received).toHaveLength(320);
    // What is in the log is counted a moment later.
    await world.until(async () => {
      const counts = await Promise.all(
        world.replicas.map(async ({ surroundings }) => {
          const text = await surroundings.metrics.registry.metrics();
          return Number(/^registry_webhook_deliveries_total\{outcome="delivered"\} (\d+)$/m.exec(text)?.[1] ?? 0);
        }),
      );
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(320);
      expect(counts.filter((count) => count > 0).length).toBeGreaterThan(1);
    });
    expect(most).toBeLessThanOrEqual(6);
  }, 60_000);

  it("lose nothing where one dies at any write, and what is sent again has its id and its bytes", async () => {
    await world.start();
    const { id, secret } = await world.create();
    await world.replicas.splice(0)[0]?.close();
    let published = 0;
    for (let atWrite = 1; atWrite <= 20; atWrite++) {
      const documents = dyingOf(world.world.documents, atWrite, atWrite % 2 === 0);
      const dying = await world.compose({ documents });
      // The lease of the one before is over.
      dying.surroundings.clock.advance(atWrite * 2 * minuteMs);
      await dying.service.start();
      await world.publish(`pump-${published++}`);
      await world.publish(`pump-${published++}`);
      const patience = performance.now() + 500;
      await world.until(() => {
        if (performance.now() < patience) expect(world.receiver.book.size).toBe(published);
      });
      await world.replicas.splice(0)[0]?.close();
    }
    const heir = await world.compose();
    heir.surroundings.clock.advance(hourMs);
    await heir.service.start();
    await world.until(() => expect(world.receiver.book.size).toBe(published));
    await world.until(async () => {
      const log = await world.log(id);
      expect(log.map(({ state }) => state)).toEqual(Array(published).fill("delivered"));
    });
    expect(new Set(world.receiver.told).size).toBe(published);
    // Some died between sending and writing it down.
    expect(world.receiver.received.length).toBeGreaterThan(published);
    for (const received of world.receiver.received) verify(secret, received);
    for (const same of Map.groupBy(world.receiver.received, (received) => received.id).values()) {
      expect(new Set(same.map(({ body }) => body)).size).toBe(1);
    }
    const kept = await rows(world.world, "webhook_deliveries");
    expect(kept).toHaveLength(published);
  }, 120_000);

  it("leave no delivery of a webhook that was deleted while its deliveries were made", async () => {
    await world.start();
    const { id } = await world.create();
    const other = await world.create();
    let deleted = false;
    const documents = intercepted(world.world.documents, "webhook_deliveries", "insertNew", async (call) => {
      if (!deleted) await world.service.deleteWebhook({ id }, world.as(olga));
      deleted = true;
      return await call();
    });
    await world.replicas.splice(0)[0]?.close();
    await world.start({ documents });
    await world.publish("pump");
    await world.attempts(other.id, 1);
    await world.until(async () =>
      expect((await rows(world.world, "webhook_deliveries")).map(({ webhook }) => webhook)).toEqual([other.id]),
    );
    expect(deleted).toBe(true);
  });

  it("take up what one that is gone was sending, once its lease is over, under the same id", async () => {
    const first = await world.start();
    const { id } = await world.create();
    world.receiver.answers = () => undefined;
    await world.publish("pump");
    await world.requests(1);
    // It ends while the receiver is silent: nobody knows whether that took the event.
    await first.service.close();
    world.receiver.answers = () => 200;
    const second = await world.start();
    second.surroundings.clock.advance(2 * minuteMs);
    await world.until(() => expect(world.receiver.book.size).toBe(1));
    expect(new Set(world.receiver.received.map((received) => received.id)).size).toBe(1);
    await world.attempts(id, 1);
  });
});

describe("a registry that was off", () => {
  it("tells afterwards what came into the feed meanwhile", async () => {
    const first = await world.start();
    const { id } = await world.create();
    await world.publish("pump");
    await world.attempts(id, 1);
    await first.close();
    world.replicas.splice(0);
    // A replica of before webhooks: its feed goes on, its webhooks do not.
    const collection = await world.world.documents.collection<{
      _id: number;
      eventId: string;
      type: string;
      plugin: string;
      time: Date;
      recordedAt: Date;
    }>({ name: "changes", indexes: [] });
    const time = new Date();
    for (let i = 0; i < 120; i++) {
      const row = { type: "plugin.updated", plugin: `valve-${i}`, time, recordedAt: time };
      await collection.insertOne({ _id: 2 + i, eventId: `e${i}`, ...row });
    }
    const later = await world.compose();
    later.surroundings.clock.advance(24 * hourMs);
    await later.service.start();
    await world.until(() => expect(world.receiver.book.size).toBe(121));
    await world.until(async () => expect((await world.log(id)).every(({ state }) => state === "delivered")).toBe(true));
  });
});
