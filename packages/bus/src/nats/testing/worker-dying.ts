import { openNatsBus } from "../open.ts";

/** A process that handles one event and is killed before it can acknowledge it. Arguments: URL, group, subject. */
const [url = "", group = "", subject = ""] = process.argv.slice(2);
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const bus = await openNatsBus({ url, name: "dying", log });

await bus.subscribe({ group, subjects: [subject], ackWaitMs: 1000 }, async ({ event, attempt }) => {
  process.stdout.write(`${JSON.stringify({ id: event.id, attempt })}\n`, () => process.kill(process.pid, "SIGKILL"));
  await new Promise(() => undefined);
});
