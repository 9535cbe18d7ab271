import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Event } from "../port.ts";
import { type Current, eventually, failure, freshArea, freshEvent, freshSubject, record } from "./support.ts";

const invalid: Record<string, Partial<Event>> = {
  "no id": { id: "" },
  "an id with a line break": { id: "a\r\nce-type: b" },
  "an id with spaces": { id: "a b" },
  "a subject of others": { subject: "orders.made" },
  "a subject with a wildcard": { subject: "registry.*.made" },
  "a subject with an empty part": { subject: "registry..made" },
  "a source with a line break": { source: "/a\n" },
  "no date": { time: new Date(Number.NaN) },
  "a long name": { about: "x".repeat(257) },
  "a trace that is none": { traceparent: "a\r\nb" },
  "data that JSON does not know": { data: undefined },
  "more data than 512 KiB": { data: "x".repeat(512 * 1024) },
};

export function describePublish(current: Current): void {
  describe("publish", () => {
    it("carries an event whole", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const { got } = await record(bus, { subjects: [subject] });
      const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
      const event = { ...freshEvent(subject, { plugin: "Ünïcode ✓", list: [1, null, true] }), traceparent };
      await bus.publish(event);
      await eventually(() => expect(got).toEqual([{ event, attempt: 1 }]));
    });

    it("carries any JSON and any name", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const { got } = await record(bus, { subjects: [subject] });
      const about = fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => text.toWellFormed());
      await fc.assert(
        fc.asyncProperty(fc.jsonValue(), about, async (value, name) => {
          const data: unknown = JSON.parse(JSON.stringify(value));
          const event = { ...freshEvent(subject, data), about: name };
          await bus.publish(event);
          await eventually(() => expect(got.find((delivery) => delivery.event.id === event.id)?.event).toEqual(event));
        }),
        { numRuns: 50 },
      );
    });

    it("carries 500 KiB", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const { data } = await record(bus, { subjects: [subject] });
      const large = "x".repeat(500 * 1024);
      await bus.publish(freshEvent(subject, large));
      await eventually(() => expect(data()).toEqual([large]));
    });

    it("accepts the same event again", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const { got } = await record(bus, { subjects: [subject] });
      const event = freshEvent(subject);
      await Promise.all([bus.publish(event), bus.publish(event)]);
      await bus.publish(event);
      const last = freshEvent(subject);
      await bus.publish(last);
      await eventually(() => expect(got.map((delivery) => delivery.event.id)).toContain(last.id));
      expect(got.map((delivery) => delivery.event.id)).toContain(event.id);
    });

    it("accepts an event that nobody wants", async () => {
      await expect(current().bus.publish(freshEvent(freshSubject()))).resolves.toBeUndefined();
    });

    it.each(Object.keys(invalid))("refuses an event with %s", async (name) => {
      const event = { ...freshEvent(freshSubject()), ...invalid[name] };
      const expected = { kind: "invalid_argument", reason: "INVALID_EVENT" };
      expect(await failure(current().bus.publish(event))).toEqual(expected);
    });

    it("keeps one publisher's order where nothing fails", async () => {
      const { bus } = current();
      const area = freshArea();
      const { data } = await record(bus, { subjects: [`${area}.>`], concurrency: 1 });
      for (let index = 0; index < 20; index++) await bus.publish(freshEvent(`${area}.thing.n${index % 3}`, index));
      await eventually(() => expect(data()).toEqual(Array.from({ length: 20 }, (_, index) => index)));
    });
  });
}
