import { describe, expect, it } from "vitest";
import { type Current, eventually, failure, freshArea, freshEvent, freshSubject } from "./support.ts";

export function describeTaps(current: Current): void {
  describe("tap", () => {
    it("shows every process every event from now on", async () => {
      const { bus, another } = current();
      const other = (await another?.()) ?? bus;
      const subject = freshSubject();
      await bus.publish(freshEvent(subject, "before"));
      const seen: unknown[][] = [[], []];
      await bus.tap([subject], (event) => void seen[0]?.push(event));
      await other.tap([subject], (event) => void seen[1]?.push(event));
      const event = {
        ...freshEvent(subject, { a: [1] }),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      };
      await bus.publish(event);
      await eventually(() => expect(seen).toEqual([[event], [event]]));
      if (other !== bus) await other.close();
    });

    it("sees the subjects that it asked for, until it is closed", async () => {
      const { bus } = current();
      const area = freshArea();
      const [seen, always]: [unknown[], unknown[]] = [[], []];
      await bus.tap([`${area}.>`], (event) => void always.push(event.data));
      const tap = await bus.tap([`${area}.a.>`, `${area}.b.made`], (event) => void seen.push(event.data));
      for (const part of ["a.x", "b.made", "b.lost"]) await bus.publish(freshEvent(`${area}.${part}`, part));
      await eventually(() => expect(always).toHaveLength(3));
      await eventually(() => expect(seen).toEqual(["a.x", "b.made"]));
      await tap.close();
      await tap.close();
      await bus.publish(freshEvent(`${area}.a.x`, "late"));
      await eventually(() => expect(always).toHaveLength(4));
      expect(seen).toEqual(["a.x", "b.made"]);
    });

    it("that throws harms nobody", async () => {
      const { bus } = current();
      const subject = freshSubject();
      const seen: unknown[] = [];
      await bus.tap([subject], () => {
        throw new Error("planned failure");
      });
      await bus.tap([subject], (event) => void seen.push(event.data));
      await bus.publish(freshEvent(subject, 1));
      await bus.publish(freshEvent(subject, 2));
      await eventually(() => expect(seen).toEqual([1, 2]));
    });

    it.each([[[]], [["orders.>"]], [["registry.a.>", "registry.a.b"]]])("refuses %j", async (subjects) => {
      const expected = { kind: "invalid_argument", reason: "INVALID_SUBSCRIPTION" };
      expect(await failure(current().bus.tap(subjects, () => undefined))).toEqual(expected);
    });
  });
}
