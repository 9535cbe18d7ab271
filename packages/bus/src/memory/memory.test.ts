import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { describeBus, eventually, failure, freshEvent, freshSubject, silentLog } from "../conformance.ts";
import { createInProcessBus } from "./open.ts";

const options = { log: silentLog, redelivery: { baseMs: 5, maxMs: 20 } };

describeBus("The in-process bus", async () => ({ bus: createInProcessBus(options) }));

describe("The in-process bus", () => {
  it("has accepted an event only when every group has handled it", async () => {
    const bus = createInProcessBus(options);
    const subject = freshSubject();
    const gate = Promise.withResolvers<void>();
    let handled = 0;
    await bus.subscribe({ group: "quick", subjects: [subject] }, async () => void handled++);
    await bus.subscribe({ group: "slow", subjects: [subject] }, async () => await gate.promise);
    let accepted = false;
    const publication = bus.publish(freshEvent(subject)).then(() => {
      accepted = true;
    });
    await eventually(() => expect(handled).toBe(1));
    expect(accepted).toBe(false);
    gate.resolve();
    await publication;
    await bus.close();
  });

  it("fails what it had not accepted when it is closed, so that it is published again", async () => {
    const bus = createInProcessBus({ ...options, redelivery: { baseMs: 60_000 } });
    const subject = freshSubject();
    let attempts = 0;
    await bus.subscribe({ group: "failing", subjects: [subject] }, async () => {
      attempts++;
      throw new Error("planned failure");
    });
    const publication = failure(bus.publish(freshEvent(subject)));
    await eventually(() => expect(attempts).toBe(1));
    await bus.close();
    expect(await publication).toMatchObject({ kind: "unavailable" });
  });

  it("delivers nothing before everything that will subscribe has subscribed", async () => {
    const ready = Promise.withResolvers<void>();
    const bus = createInProcessBus({ ...options, ready: ready.promise });
    const subject = freshSubject();
    const publication = bus.publish(freshEvent(subject, "early"));
    const seen: unknown[] = [];
    await bus.subscribe({ group: "late", subjects: [subject] }, async ({ event }) => void seen.push(event.data));
    expect(seen).toEqual([]);
    ready.resolve();
    await publication;
    expect(seen).toEqual(["early"]);
    await bus.close();
  });

  it("is away where the process did not get ready", async () => {
    const bus = createInProcessBus({ ...options, ready: Promise.reject(new Error("planned failure")) });
    expect(await failure(bus.publish(freshEvent(freshSubject())))).toMatchObject({ kind: "unavailable" });
    await bus.close();
  });

  it("keeps the publisher's asynchronous context from the handlers", async () => {
    const caller = new AsyncLocalStorage<string>();
    const bus = createInProcessBus(options);
    const subject = freshSubject();
    const seen: (string | undefined)[] = [];
    await bus.subscribe({ group: "context", subjects: [subject] }, async () => void seen.push(caller.getStore()));
    await caller.run("publisher", () => bus.publish(freshEvent(subject)));
    expect(seen).toEqual([undefined]);
    await bus.close();
  });
});
