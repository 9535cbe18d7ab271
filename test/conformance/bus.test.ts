import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, readlink, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { type Bus, type Delivery, type Event, openBus, parkedSubject } from "@registry/bus";
import { describeBus, eventually, failure, freshEvent, freshSubject, silentLog } from "@registry/bus/conformance";
import { decodeEvent } from "@registry/contracts/events";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, type TestContext } from "vitest";
import { missing, type NatsServer, nats, stopServers } from "../servers/index.ts";

const unavailable = { kind: "unavailable", reason: "UNAVAILABLE" };

describe.skipIf(missing("nats"))("NATS", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await nats();
  });
  afterAll(stopServers);

  const open = (
    change: { natsUrl?: string; timeoutMs?: number; maxSilenceMs?: number; duplicateSeconds?: number } = {},
  ): Promise<Bus> =>
    openBus({ natsUrl: server.url, name: "test", log: silentLog, redelivery: { baseMs: 20, maxMs: 100 }, ...change });

  describeBus("The NATS bus", async () => ({ bus: await open(), another: () => open() }));

  describe("whose consumer died between handling and acknowledgement", () => {
    /** Publishes an event and lets a process of the group begin to handle it and be killed. */
    const beginAndDie = async (bus: Bus, group: string, subject: string): Promise<Event> => {
      const event = freshEvent(subject);
      await bus.publish(event);
      const script = join(import.meta.dirname, "../../packages/bus/src/nats/testing/worker-dying.ts");
      const child = promisify(execFile)(process.execPath, [script, server.url, group, subject], { timeout: 30_000 });
      const died = await child.then(
        () => expect.unreachable("the process did not die"),
        (error: { signal: string; stdout: string }) => error,
      );
      expect(died.signal).toBe("SIGKILL");
      expect(JSON.parse(died.stdout)).toEqual({ id: event.id, attempt: 1 });
      return event;
    };

    it("hands the event to another", async () => {
      const bus = await open();
      const subject = freshSubject();
      const event = await beginAndDie(bus, "mortal", subject);
      const got: Delivery[] = [];
      const options = { group: "mortal", subjects: [subject], ackWaitMs: 1000 };
      await bus.subscribe(options, async (delivery) => void got.push(delivery));
      await eventually(() => expect(got).toEqual([{ event, attempt: 2 }]));
      await bus.close();
    });

    it("gives up the event where that was its last delivery, without another handling", async () => {
      const bus = await open();
      const subject = freshSubject();
      const event = await beginAndDie(bus, "deadly", subject);
      const handled: Delivery[] = [];
      const told: Delivery[] = [];
      const options = { group: "deadly", subjects: [subject], ackWaitMs: 1000, maxDeliver: 1 };
      const onDeadLetter = async (delivery: Delivery): Promise<void> => void told.push(delivery);
      await bus.subscribe({ ...options, onDeadLetter }, async (delivery) => void handled.push(delivery));
      await eventually(() => expect(told).toEqual([{ event, attempt: 2 }]));
      expect(handled).toEqual([]);
      await bus.close();
    });
  });

  it("keeps a long handler's event from other processes, for as long as its own lives", async () => {
    const maxSilenceMs = 500;
    const [one, other] = [await open({ maxSilenceMs }), await open({ maxSilenceMs })];
    const subject = freshSubject();
    const got: number[] = [];
    let handled = 0;
    const handle = async ({ attempt }: Delivery): Promise<void> => {
      got.push(attempt);
      await once(AbortSignal.timeout(4 * maxSilenceMs), "abort");
      handled++;
    };
    for (const bus of [one, other]) await bus.subscribe({ group: "patient", subjects: [subject] }, handle);
    await one.publish(freshEvent(subject));
    await one.publish(freshEvent(subject));
    await eventually(() => expect(handled).toBe(2));
    await Promise.all([one.close(), other.close()]);
    expect(got).toEqual([1, 1]);
  });

  it("parks what somebody else wrote that is no event, once for each group, and goes on", async () => {
    const bus = await open();
    const subject = freshSubject();
    const parked: unknown[] = [];
    const tellOf = async ({ event }: Delivery): Promise<void> => {
      const { group, event: shown, attempts, cause } = decodeEvent(parkedSubject, event.data);
      if (shown?.subject === subject) {
        const data: unknown = JSON.parse(Buffer.from(shown.data).toString());
        parked.push({ group, data, attempts, unreadable: shown.unreadable, cause });
      }
    };
    await bus.subscribe({ group: "undertaker", subjects: [parkedSubject] }, tellOf);
    const got: string[] = [];
    for (const group of ["reader-one", "reader-two"]) {
      await bus.subscribe({ group, subjects: [subject] }, async ({ event }) => void got.push(`${group} ${event.id}`));
    }
    const before = freshEvent(subject);
    await bus.publish(before);
    const connection = await connect({ servers: server.url });
    try {
      for (const body of ["not \0 JSON", '{"plugin":"x"}']) await jetstream(connection).publish(subject, body);
    } finally {
      await connection.close();
    }
    const after = freshEvent(subject);
    await bus.publish(after);
    const seen = [before, after].flatMap(({ id }) => [`reader-one ${id}`, `reader-two ${id}`]);
    await eventually(() => expect([...got].sort()).toEqual(seen.sort()));
    const letter = (group: string, data: string) =>
      expect.objectContaining({
        group,
        data,
        attempts: 1,
        unreadable: true,
        cause: expect.stringContaining("no event"),
      });
    const groups = ["reader-one", "reader-two"];
    const letters = groups.flatMap((group) => ["not \0 JSON", '{"plugin":"x"}'].map((data) => letter(group, data)));
    await eventually(() => expect(parked).toHaveLength(letters.length));
    expect(parked).toEqual(expect.arrayContaining(letters));
    await bus.close();
  });

  describe("with a server that fails", () => {
    let own: NatsServer;
    let bus: Bus;
    beforeAll(async () => {
      own = await nats();
    });
    beforeEach(async (context) => {
      if (!own.controllable) context.skip();
      bus = await open({ natsUrl: own.url, timeoutMs: 1000 });
    });
    afterEach(() => bus?.close());

    const collect = async (group: string, subject: string): Promise<unknown[]> => {
      const got: unknown[] = [];
      await bus.subscribe(
        { group, subjects: [subject], ackWaitMs: 2000 },
        async ({ event }) => void got.push(event.data),
      );
      return got;
    };
    const publishUntilAccepted = (subject: string, data: unknown): Promise<void> => {
      const event = freshEvent(subject, data);
      return eventually(() => bus.publish(event));
    };

    it("comes up later than the process", async () => {
      await own.stop();
      const late = await open({ natsUrl: own.url, timeoutMs: 300 });
      const subject = freshSubject();
      const got: unknown[] = [];
      const seen: unknown[] = [];
      await late.subscribe({ group: "late", subjects: [subject] }, async ({ event }) => void got.push(event.data));
      await late.tap([subject], (event) => void seen.push(event.data));
      expect(await failure(late.publish(freshEvent(subject)))).toEqual(unavailable);
      expect(await failure(late.ping())).toEqual(unavailable);
      expect(await failure(late.generation())).toEqual(unavailable);
      await own.start();
      await eventually(() => late.ping());
      await eventually(() => late.publish(freshEvent(subject, "at last")));
      await eventually(() => expect(got).toEqual(["at last"]));
      await eventually(() => expect(seen).toEqual(["at last"]));
      await late.close();
    });

    it("may be closed while the server is away", async () => {
      await own.stop();
      const late = await open({ natsUrl: own.url, timeoutMs: 300 });
      await late.subscribe({ group: "late", subjects: [freshSubject()] }, async () => undefined);
      await late.close();
      await bus.close();
      await own.start();
    });

    it("forgets the ids of events as soon as it is told to", async () => {
      await bus.close();
      const forgetful = await nats();
      bus = await open({ natsUrl: forgetful.url, duplicateSeconds: 1 });
      const subject = freshSubject();
      const got = await collect("forgetful", subject);
      const event = freshEvent(subject, 1);
      await eventually(async () => {
        await bus.publish(event);
        expect(got).toEqual([1, 1]);
      });
    });

    it("is killed in the middle: nothing that was accepted is lost", async () => {
      const subject = freshSubject();
      const got = await collect("restart", subject);
      const seen: unknown[] = [];
      await bus.tap([subject], (event) => void seen.push(event.data));
      const accepted: number[] = [];
      const publishing = Array.from({ length: 100 }, async (_, index) => {
        await publishUntilAccepted(subject, index);
        accepted.push(index);
        if (accepted.length === 30) {
          await own.kill();
          await own.start();
        }
      });
      await Promise.all(publishing);
      await eventually(() => expect(new Set(got)).toEqual(new Set(accepted)));
      await publishUntilAccepted(subject, "after");
      await eventually(() => expect(got).toContain("after"));
      await eventually(() => expect(seen).toContain("after"));
    });

    it("does not answer: calls end, and afterwards all is well", async () => {
      const subject = freshSubject();
      const got = await collect("silent", subject);
      await publishUntilAccepted(subject, "before");
      own.signal("SIGSTOP");
      try {
        // The signal takes its time.
        await eventually(async () => expect(await failure(bus.ping())).toEqual(unavailable));
        expect(await failure(bus.publish(freshEvent(subject, "meanwhile")))).toEqual(unavailable);
        expect(await failure(bus.generation())).toEqual(unavailable);
      } finally {
        own.signal("SIGCONT");
      }
      await publishUntilAccepted(subject, "after");
      await eventually(() => expect(got).toEqual(expect.arrayContaining(["before", "after"])));
    });

    it("loses its data: the generation changes, and events and groups go on", async (context) => {
      const subject = freshSubject();
      const got = await collect("bereft", subject);
      await bus.tap([subject], () => undefined);
      await publishUntilAccepted(subject, 1);
      await eventually(() => expect(got).toEqual([1]));
      const before = await bus.generation();
      const data = await dataFolder(own, context);
      await own.stop();
      await rm(data, { recursive: true });
      await own.start();
      await publishUntilAccepted(subject, 2);
      await eventually(() => expect(got).toEqual([1, 2]));
      expect(await bus.generation()).not.toBe(before);
    });

    it("comes back with older data: the generation changes, for every process", async (context) => {
      const subject = freshSubject();
      await publishUntilAccepted(subject, 1);
      const data = await dataFolder(own, context);
      const before = await bus.generation();
      await own.stop();
      await cp(data, `${data}-older`, { recursive: true });
      await own.start();
      await publishUntilAccepted(subject, 2);
      await publishUntilAccepted(subject, 3);
      expect(await bus.generation()).toBe(before);
      await own.stop();
      await rm(data, { recursive: true });
      await rename(`${data}-older`, data);
      await own.start();
      await publishUntilAccepted(subject, 4);
      const after = await bus.generation();
      expect(after).not.toBe(before);
      const other = await open({ natsUrl: own.url });
      expect(await other.generation()).toBe(after);
      await other.close();
    });

    it("comes back with older data: that shows before anybody publishes, and once for all who notice", async (context) => {
      const subject = freshSubject();
      const other = await open({ natsUrl: own.url });
      await publishUntilAccepted(subject, 1);
      const data = await dataFolder(own, context);
      await own.stop();
      await cp(data, `${data}-older`, { recursive: true });
      await own.start();
      await publishUntilAccepted(subject, 2);
      await eventually(() => other.publish(freshEvent(subject, 3)));
      await publishUntilAccepted(subject, 4);
      const before = await bus.generation();
      await own.stop();
      await rm(data, { recursive: true });
      await rename(`${data}-older`, data);
      await own.start();
      await eventually(async () => expect(await bus.generation()).not.toBe(before));
      const after = await bus.generation();
      await eventually(async () => expect(await other.generation()).toBe(after));
      await publishUntilAccepted(subject, 5);
      expect([await bus.generation(), await other.generation()]).toEqual([after, after]);
      await other.close();
    });
  });
});

/** Where a server keeps its data; only systems that tell a process's folder let a test take it away. */
async function dataFolder(server: NatsServer, context: TestContext): Promise<string> {
  try {
    return join(await readlink(`/proc/${server.pid}/cwd`), "data");
  } catch {
    return context.skip("this system does not tell where the server keeps its data");
  }
}
