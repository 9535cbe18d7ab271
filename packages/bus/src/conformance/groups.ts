import { describe, expect, it } from "vitest";
import type { SubscribeOptions } from "../port.ts";
import {
  allAccepted,
  type Current,
  eventually,
  failure,
  freshArea,
  freshEvent,
  freshGroup,
  freshSubject,
  numbers,
  record,
} from "./support.ts";

const invalid: Record<string, Partial<SubscribeOptions>> = {
  "no group": { group: "" },
  "a group with capitals": { group: "Search" },
  "a group with a dot": { group: "a.b" },
  "no subject": { subjects: [] },
  "a subject of others": { subjects: ["orders.>"] },
  "a wildcard in the middle": { subjects: ["registry.*.made"] },
  everything: { subjects: [">"] },
  "a subject twice": { subjects: ["registry.a.b", "registry.a.b"] },
  "a subject within another": { subjects: ["registry.a.>", "registry.a.b.c"] },
  "no time": { ackWaitMs: 0 },
  "half a delivery": { maxDeliver: 0.5 },
  "no room": { concurrency: 0 },
};

export function describeGroups(current: Current): void {
  describe("groups", () => {
    it("each see every event, one subscription of theirs each", async () => {
      const { bus, another } = current();
      const other = (await another?.()) ?? bus;
      const subjects = [freshSubject()];
      const [one, two] = [freshGroup(), freshGroup()];
      const oneHere = await record(bus, { group: one, subjects });
      const oneThere = await record(other, { group: one, subjects });
      const twoThere = await record(other, { group: two, subjects });
      await allAccepted(numbers(100).map((data) => bus.publish(freshEvent(subjects[0] ?? "", data))));
      const sorted = (...from: { data: () => unknown[] }[]) =>
        from
          .flatMap((each) => each.data())
          .map(Number)
          .sort((a, b) => a - b);
      await eventually(() => expect(sorted(oneHere, oneThere)).toEqual(numbers(100)));
      await eventually(() => expect(sorted(twoThere)).toEqual(numbers(100)));
      if (other !== bus) await other.close();
    });

    it("see the subjects that they asked for", async () => {
      const { bus } = current();
      const area = freshArea();
      const { data } = await record(bus, { subjects: [`${area}.plugin.>`, `${area}.token.revoked`] });
      const parts = [
        "plugin.made",
        "plugin.tag.moved",
        "plugins.made",
        "token.revoked",
        "token.revoked.late",
        "token.made",
      ];
      for (const part of parts) await bus.publish(freshEvent(`${area}.${part}`, part));
      await eventually(() => expect(data().sort()).toEqual(["plugin.made", "plugin.tag.moved", "token.revoked"]));
    });

    it("get copies of their own", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const spoil = ({ event }: { event: { data: unknown; time: Date } }): void => {
        if (Array.isArray(event.data)) event.data.push("spoiled");
        event.time.setTime(0);
      };
      const one = await record(bus, { subjects: [subject], group: freshGroup() }, spoil);
      const two = await record(bus, { subjects: [subject], group: freshGroup() }, spoil);
      const event = freshEvent(subject, [1]);
      await bus.publish(event);
      await eventually(() =>
        expect([...one.data(), ...two.data()]).toEqual([
          [1, "spoiled"],
          [1, "spoiled"],
        ]),
      );
      expect(event.data).toEqual([1]);
      expect(event.time.getTime()).not.toBe(0);
    });

    it("handle as many at once as they said, and no more", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const gate = Promise.withResolvers<void>();
      let [running, most] = [0, 0];
      const { got } = await record(bus, { subjects: [subject], concurrency: 3 }, async () => {
        most = Math.max(most, ++running);
        await gate.promise;
        running--;
      });
      const publications = numbers(12).map((data) => bus.publish(freshEvent(subject, data)));
      await eventually(() => expect(running).toBe(3));
      gate.resolve();
      await allAccepted(publications);
      await eventually(() => expect(got).toHaveLength(12));
      expect(most).toBe(3);
    });

    it("are durable: what comes while none of their subscriptions is open, comes later", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const group = freshGroup();
      const first = await record(bus, { group, subjects: [subject] });
      await bus.publish(freshEvent(subject, "before"));
      await eventually(() => expect(first.data()).toEqual(["before"]));
      await first.subscription.close();
      const publications = numbers(5).map((data) => bus.publish(freshEvent(subject, data)));
      const second = await record(bus, { group, subjects: [subject] });
      await allAccepted(publications);
      await eventually(() => expect(second.data().sort()).toEqual(numbers(5)));
      expect(first.data()).toEqual(["before"]);
    });

    it.each(Object.keys(invalid))("cannot be subscribed with %s", async (name) => {
      const options = { group: freshGroup(), subjects: [freshSubject()], ...invalid[name] };
      const expected = { kind: "invalid_argument", reason: "INVALID_SUBSCRIPTION" };
      expect(await failure(current().bus.subscribe(options, async () => undefined))).toEqual(expected);
    });
  });
}
