import { describe, expect, it } from "vitest";
import type { Bus, GroupLag } from "../port.ts";
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

const lagOf = async (bus: Bus, group: string): Promise<GroupLag | undefined> =>
  (await bus.lag()).find((each) => each.group === group);

export function describeLag(current: Current): void {
  describe("lag", () => {
    it("tells how many events of each group wait, and how many are under way, until all are handled", async () => {
      const { bus, another } = current();
      const subject = freshSubject();
      const [slow, quick] = [freshGroup(), freshGroup()];
      const gate = Promise.withResolvers<void>();
      await record(bus, { group: slow, subjects: [subject], concurrency: 2 }, () => gate.promise);
      const { got } = await record(bus, { group: quick, subjects: [subject] });
      const publications = numbers(7).map((data) => bus.publish(freshEvent(subject, data)));
      await eventually(async () => expect(await lagOf(bus, slow)).toEqual({ group: slow, waiting: 5, underWay: 2 }));
      await eventually(() => expect(got).toHaveLength(7));
      await eventually(async () => expect(await lagOf(bus, quick)).toEqual({ group: quick, waiting: 0, underWay: 0 }));
      const other = (await another?.()) ?? bus;
      expect(await lagOf(other, slow)).toEqual({ group: slow, waiting: 5, underWay: 2 });
      if (other !== bus) await other.close();
      gate.resolve();
      await allAccepted(publications);
      await eventually(async () => expect(await lagOf(bus, slow)).toEqual({ group: slow, waiting: 0, underWay: 0 }));
    });

    it("counts an event that pauses after a failure as under way", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const group = freshGroup();
      let heal = false;
      const { got } = await record(bus, { group, subjects: [subject], maxDeliver: 1000 }, () => {
        if (!heal) throw new Error("planned failure");
      });
      const publication = bus.publish(freshEvent(subject));
      await eventually(() => expect(got.length).toBeGreaterThan(2));
      expect(await lagOf(bus, group)).toEqual({ group, waiting: 0, underWay: 1 });
      heal = true;
      await publication;
      await eventually(async () => expect(await lagOf(bus, group)).toEqual({ group, waiting: 0, underWay: 0 }));
    });

    it("stays of a group without a subscription", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const group = freshGroup();
      const { subscription, got } = await record(bus, { group, subjects: [subject] });
      await bus.publish(freshEvent(subject));
      await eventually(() => expect(got).toHaveLength(1));
      await eventually(async () => expect((await lagOf(bus, group))?.underWay).toBe(0));
      await subscription.close();
      const publications = numbers(3).map(() => bus.publish(freshEvent(subject)));
      await eventually(async () => expect((await lagOf(bus, group))?.waiting).toBe(3));
      await record(bus, { group, subjects: [subject] });
      await allAccepted(publications);
    });
  });
}
