import { decodeEvent, MalformedEvent } from "@registry/contracts/events";
import { unavailable } from "@registry/domain";
import { describe, expect, it } from "vitest";
import type { Bus, Event } from "../port.ts";
import { parkedSubject, settledSubject } from "../rules.ts";
import { type Current, eventually, freshEvent, freshGroup, freshSubject, record } from "./support.ts";

const fail = (): never => {
  throw new Error("planned failure with Bearer abcdefgh12345678", { cause: new Error("nats://u:secret@host is away") });
};

/** What the bus tells of one group's dead letters, as whoever stores them hears it. */
async function listen(bus: Bus, group: string) {
  const parked: ReturnType<typeof decodeEvent<typeof parkedSubject>>[] = [];
  const settled: ReturnType<typeof decodeEvent<typeof settledSubject>>[] = [];
  await bus.subscribe({ group: freshGroup(), subjects: ["registry.deadletters.>"] }, async ({ event }) => {
    if (event.subject === parkedSubject) parked.push(decodeEvent(parkedSubject, event.data));
    if (event.subject === settledSubject) settled.push(decodeEvent(settledSubject, event.data));
  });
  return {
    parked: () => parked.filter((each) => each.group === group),
    settled: () => settled.filter((each) => each.group === group),
  };
}

const again = (event: Event, group: string, attempts: number): Event => ({
  ...event,
  again: { key: `retry-${attempts}`, group, attempts },
});

export function describeParking(current: Current): void {
  describe("a dead letter", () => {
    it("is parked whole, with its cause, and no secret in that", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const group = freshGroup();
      const { parked } = await listen(bus, group);
      await record(bus, { group, subjects: [subject], maxDeliver: 3 }, fail);
      const event = { ...freshEvent(subject, { größe: "ß" }), traceparent: "00-ab-cd-01" };
      await bus.publish(event);
      await eventually(() => expect(parked()).toHaveLength(1));
      const [letter] = parked();
      const { data = new Uint8Array(), ...whole } = letter?.event ?? {};
      expect({ ...whole, data: JSON.parse(Buffer.from(data).toString()) }).toEqual({ ...event, unreadable: false });
      expect(letter).toMatchObject({
        attempts: 3,
        cause: "Error: planned failure with Bearer [secret]; caused by Error: nats://[secret]@host is away",
      });
    });

    it("is at once what can never be handled", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const group = freshGroup();
      const { parked } = await listen(bus, group);
      const { got } = await record(bus, { group, subjects: [subject] }, () => {
        throw new MalformedEvent("a thing without a name");
      });
      await bus.publish(freshEvent(subject));
      await eventually(() => expect(parked()).toMatchObject([{ attempts: 1, cause: expect.stringContaining("name") }]));
      expect(got).toHaveLength(1);
    });

    it("tells whether what was away is to blame, or the event", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const group = freshGroup();
      const { parked } = await listen(bus, group);
      await record(bus, { group, subjects: [subject], maxDeliver: 1 }, ({ event }) => {
        if (event.data === "poison") fail();
        throw unavailable("the document store");
      });
      for (const data of ["poison", "fine"]) await bus.publish(freshEvent(subject, data));
      await eventually(() => expect(parked()).toHaveLength(2));
      const told = parked().map(({ event, away }) => [Buffer.from(event?.data ?? []).toString(), away]);
      expect(new Map(told as [string, boolean][])).toEqual(
        new Map([
          ['"poison"', false],
          ['"fine"', true],
        ]),
      );
    });

    it("may be as large as an event may be, with a cause of any length", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const group = freshGroup();
      const { parked } = await listen(bus, group);
      await record(bus, { group, subjects: [subject], maxDeliver: 1 }, () => {
        throw new Error("x".repeat(1_000_000));
      });
      await bus.publish(freshEvent(subject, "y".repeat(512 * 1024 - 2)));
      await eventually(() => expect(parked()).toHaveLength(1));
      expect(parked()[0]?.event?.data).toHaveLength(512 * 1024);
      expect(parked()[0]?.cause).toHaveLength(1000);
    });

    it("goes to its group alone when it is sent again, is told of when that handles it, and is no repetition", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const group = freshGroup();
      const { parked, settled } = await listen(bus, group);
      const seen: Event[] = [];
      await bus.tap([subject], (event) => void seen.push(event));
      let heal = false;
      const failing = await record(bus, { group, subjects: [subject], maxDeliver: 2 }, () => {
        if (!heal) fail();
      });
      const fine = await record(bus, { subjects: [subject] });
      const event = freshEvent(subject, "precious");
      await bus.publish(event);
      await eventually(() => expect(parked().map(({ attempts }) => attempts)).toEqual([2]));
      await bus.publish(again(event, group, 2));
      await eventually(() => expect(parked().map(({ attempts }) => attempts)).toEqual([2, 4]));
      expect(settled()).toEqual([]);
      heal = true;
      await bus.publish(again(event, group, 4));
      await eventually(() => expect(settled()).toEqual([{ group, eventId: event.id, attempts: 4 }]));
      expect(parked()).toHaveLength(2);
      expect(failing.got.map(({ attempt }) => attempt)).toEqual([1, 2, 1, 2, 1]);
      expect(failing.got.at(-1)?.event).toEqual(again(event, group, 4));
      await bus.publish(freshEvent(subject, "after"));
      await eventually(() => expect(fine.data()).toEqual(["precious", "after"]));
      await eventually(() => expect(seen.map(({ data }) => data)).toEqual(["precious", "after"]));
    });

    it("reaches every group once more where it is sent again to all", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const one = await record(bus, { subjects: [subject] });
      const two = await record(bus, { subjects: [subject] });
      const event = freshEvent(subject);
      await bus.publish(event);
      await bus.publish({ ...event, again: { key: "replay" } });
      for (const { got } of [one, two]) {
        await eventually(() => expect(got.map((delivery) => delivery.event.id)).toEqual([event.id, event.id]));
      }
    });
  });
}
