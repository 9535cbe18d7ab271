import { openBus } from "@registry/bus";

/** A process that handles one event and is killed before it can acknowledge it. Arguments: URL, group, subject. */
const [natsUrl = "", group = "", subject = ""] = process.argv.slice(2);
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const bus = await openBus({ natsUrl, name: "dying", log });

await bus.subscribe({ group, subjects: [subject], ackWaitMs: 1000 }, async ({ event, attempt }) => {
  process.stdout.write(`${JSON.stringify({ id: event.id, attempt })}\n`, () => process.kill(process.pid, "SIGKILL"));
  await new Promise(() => undefined);
});
