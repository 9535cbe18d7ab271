import { describe, expect, it } from "vitest";
import type { Delivery } from "../port.ts";
import {
  allAccepted,
  type Current,
  eventually,
  freshEvent,
  freshGroup,
  freshSubject,
  numbers,
  record,
} from "./support.ts";

const fail = (): never => {
  throw new Error("planned failure");
};

export function describeRedelivery(current: Current): void {
  describe("an event that is not handled", () => {
    it("comes again until it is", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const { got } = await record(bus, { subjects: [subject] }, ({ attempt }) => {
        if (attempt < 4) fail();
      });
      const event = freshEvent(subject, "again");
      await bus.publish(event);
      await eventually(() => expect(got.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]));
      expect(got.every((delivery) => delivery.event.id === event.id && delivery.event.data === "again")).toBe(true);
    });

    it("comes again where the handler throws before it waits for anything", async () => {
      const { bus } = current();
      const subject = freshSubject();
      let attempts = 0;
      await bus.subscribe({ group: freshGroup(), subjects: [subject] }, () => {
        if (++attempts === 1) fail();
        return Promise.resolve();
      });
      await bus.publish(freshEvent(subject));
      await eventually(() => expect(attempts).toBe(2));
    });

    it("comes again where the handler takes too long", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const { got } = await record(bus, { subjects: [subject], ackWaitMs: 300 }, async ({ attempt }) => {
        if (attempt === 1) await new Promise(() => undefined);
      });
      await bus.publish(freshEvent(subject));
      await eventually(() => expect(got.map(({ attempt }) => attempt)).toEqual([1, 2]));
    });

    it("is the only one that comes again", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const { got } = await record(bus, { subjects: [subject], ackWaitMs: 200 }, async ({ event, attempt }) => {
        // Its deliveries are the clock: each takes as long as an unacknowledged event would need to come again.
        if (event.data === "clock" && attempt < 5) await new Promise(() => undefined);
      });
      await Promise.all(["clock", 1, 2, 3].map((data) => bus.publish(freshEvent(subject, data))));
      await eventually(() => expect(got.map(({ attempt }) => attempt)).toContain(5));
      const handled = got.filter(({ event }) => event.data !== "clock");
      expect(handled.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    });

    it("is no matter to other groups", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const failing = await record(bus, { subjects: [subject], maxDeliver: 3 }, fail);
      const fine = await record(bus, { subjects: [subject] });
      await bus.publish(freshEvent(subject));
      await eventually(() => expect(failing.got).toHaveLength(3));
      expect(fine.got).toHaveLength(1);
    });

    it("is given up after its deliveries and told once, while others pass", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const dead: { delivery: Delivery; cause: unknown }[] = [];
      const { got, data } = await record(
        bus,
        {
          subjects: [subject],
          maxDeliver: 4,
          concurrency: 2,
          onDeadLetter: async (delivery, cause) => void dead.push({ delivery, cause }),
        },
        ({ event }) => {
          if (event.data === "poison") fail();
        },
      );
      const poison = [freshEvent(subject, "poison"), freshEvent(subject, "poison"), freshEvent(subject, "poison")];
      const poisoned = poison.map((event) => bus.publish(event));
      await allAccepted(numbers(20).map((index) => bus.publish(freshEvent(subject, index))));
      await eventually(() => expect(data().filter((each) => each !== "poison")).toHaveLength(20));
      await allAccepted(poisoned);
      await eventually(() => expect(dead).toHaveLength(3));
      expect(dead.map(({ delivery }) => delivery.event.id).sort()).toEqual(poison.map(({ id }) => id).sort());
      for (const { delivery, cause } of dead) {
        expect(delivery.attempt).toBe(4);
        expect(cause).toMatchObject({ message: "planned failure" });
      }
      await bus.publish(freshEvent(subject, "after"));
      await eventually(() => expect(data()).toContain("after"));
      expect(got.filter(({ event }) => event.data === "poison")).toHaveLength(12);
      expect(dead).toHaveLength(3);
    });

    it("stays undelivered while its dead letter cannot be recorded, and is not handled again", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const told: number[] = [];
      const { got } = await record(
        bus,
        {
          subjects: [subject],
          maxDeliver: 2,
          onDeadLetter: async ({ attempt }) => {
            told.push(attempt);
            if (told.length < 3) fail();
          },
        },
        fail,
      );
      await bus.publish(freshEvent(subject));
      await eventually(() => expect(told).toEqual([2, 3, 4]));
      expect(got.map(({ attempt }) => attempt)).toEqual([1, 2]);
    });
  });
}
