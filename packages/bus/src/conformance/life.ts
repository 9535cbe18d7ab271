import { describe, expect, it } from "vitest";
import {
  type Current,
  eventually,
  failure,
  freshEvent,
  freshGroup,
  freshSubject,
  type OpenedBus,
  record,
} from "./support.ts";

export function describeLife(current: Current, open: () => Promise<OpenedBus>): void {
  describe("closing a subscription", () => {
    it("waits for the handlers under way and takes nothing new", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const group = freshGroup();
      const gate = Promise.withResolvers<void>();
      const order: string[] = [];
      const first = await record(bus, { group, subjects: [subject], concurrency: 1 }, async () => {
        await gate.promise;
        order.push("handled");
      });
      const one = bus.publish(freshEvent(subject, 1));
      await eventually(() => expect(first.data()).toEqual([1]));
      const closing = first.subscription.close().then(() => order.push("closed"));
      const two = bus.publish(freshEvent(subject, 2));
      gate.resolve();
      await closing;
      expect(order).toEqual(["handled", "closed"]);
      const second = await record(bus, { group, subjects: [subject] });
      await Promise.all([one, two]);
      await eventually(() => expect(second.data()).toEqual([2]));
      expect(first.data()).toEqual([1]);
    });

    it("does not wait for ever", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const { got, subscription } = await record(
        bus,
        { subjects: [subject], ackWaitMs: 200 },
        () => new Promise(() => undefined),
      );
      bus.publish(freshEvent(subject)).catch(() => undefined);
      await eventually(() => expect(got.length).toBeGreaterThan(0));
      await expect(subscription.close()).resolves.toBeUndefined();
      await expect(subscription.close()).resolves.toBeUndefined();
    });
  });

  describe("the bus", () => {
    it("answers a ping and keeps its generation", async () => {
      const { bus } = current();
      await bus.ping();
      const generation = await bus.generation();
      expect(generation).not.toBe("");
      await bus.publish(freshEvent(freshSubject()));
      expect(await bus.generation()).toBe(generation);
    });

    it("takes no call after it was closed, and may be closed twice", async () => {
      const { bus, release } = await open();
      const subject = freshSubject();
      const { got } = await record(bus, { subjects: [subject] });
      await bus.publish(freshEvent(subject));
      await eventually(() => expect(got).toHaveLength(1));
      await bus.close();
      await bus.close();
      const calls = [
        bus.publish(freshEvent(subject)),
        bus.subscribe({ group: freshGroup(), subjects: [subject] }, async () => undefined),
        bus.tap([subject], () => undefined),
        bus.ping(),
        bus.generation(),
      ];
      expect(await Promise.all(calls.map(failure))).toEqual(
        calls.map(() => ({ kind: "unavailable", reason: "UNAVAILABLE" })),
      );
      await release?.();
    });
  });
}
