import { expect, it } from "vitest";
import { describeBus, freshEvent, freshSubject, silentLog } from "./conformance.ts";
import { createInProcessBus } from "./memory/open.ts";
import { observeBus } from "./observed.ts";

const open = () => createInProcessBus({ log: silentLog, redelivery: { baseMs: 5, maxMs: 20 } });

describeBus("An observed bus", async () => ({
  bus: observeBus(open(), {
    publish: (event, send) => send(event),
    handle: (_event, _group, _attempt, run) => run(),
    hear: (_event, run) => run(),
  }),
}));

it("tells of publications, handlers and taps, and sends what it is given", async () => {
  const told: string[] = [];
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const bus = observeBus(open(), {
    publish: (event, send) => send({ ...event, traceparent }),
    async handle(event, group, attempt, run) {
      told.push(`${group} ${attempt} ${event.traceparent}`);
      await run();
    },
    hear(event, run) {
      told.push(`tap ${event.traceparent}`);
      run();
    },
  });
  const subject = freshSubject();
  const seen: unknown[] = [];
  await bus.tap([subject], (event) => void seen.push(event.id));
  await bus.subscribe({ group: "group", subjects: [subject] }, async ({ event, attempt }) => {
    seen.push(event.id);
    if (attempt === 1) throw new Error("not yet");
  });
  const event = freshEvent(subject);
  await bus.publish(event);
  expect(told).toEqual([`tap ${traceparent}`, `group 1 ${traceparent}`, `group 2 ${traceparent}`]);
  expect(seen).toEqual([event.id, event.id, event.id]);
  await bus.close();
});
