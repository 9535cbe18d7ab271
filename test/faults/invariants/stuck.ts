import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { type CheckContext, notJudged, settled, type Verdict, verdict } from "./context.ts";
import type { StoredDeadLetter } from "./truth.ts";

/** I7: the outbox is empty, no consumer has anything before it, and only what was planned is a dead letter. */
export async function nothingIsStuck(context: CheckContext, natsUrl: string | undefined): Promise<Verdict> {
  const { truth, settleMs, entries } = context;
  const looked = natsUrl === undefined ? "; consumers were not looked at" : "";
  const what = `the outbox has drained, and nothing is stuck but planned poison${looked}`;
  if (truth === undefined) return notJudged("I7", what, "no stores given");
  const planned = new Set(entries.filter((entry) => entry.type === "poison").map(({ id }) => id));
  let checked = 0;
  const problems = await settled(settleMs, async () => {
    const pending = (await truth.pending()).map((document) => `not relayed: ${document}`);
    const consumers = natsUrl === undefined ? [] : await consumersOf(natsUrl);
    const letters = await truth.deadLetters();
    checked = consumers.length + letters.length;
    const unplanned = letters.filter(({ eventId }) => !planned.has(eventId));
    return [
      ...pending,
      ...consumers.flatMap((consumer) => waitingIn(consumer, letters, planned)),
      ...unplanned.map(({ group, eventId, cause }) => `dead letter of ${group}: ${eventId}: ${cause}`),
    ];
  });
  return verdict("I7", what, checked, problems);
}

interface Consumer {
  readonly group: string;
  readonly waiting: number;
  readonly underWay: number;
}

/** Poison that is tried again, until its deliveries are used up, waits as well. */
function waitingIn(
  { group, waiting, underWay }: Consumer,
  letters: readonly StoredDeadLetter[],
  planned: ReadonlySet<string>,
): string[] {
  const parked = letters.filter((letter) => letter.group === group && planned.has(letter.eventId)).length;
  const allowed = planned.size - parked;
  return waiting > 0 || underWay > allowed ? [`${waiting + underWay} events wait in ${group}, ${allowed} may`] : [];
}

async function consumersOf(natsUrl: string): Promise<Consumer[]> {
  const connection = await connect({ servers: natsUrl, timeout: 5000, maxReconnectAttempts: 2 });
  try {
    const manager = await jetstreamManager(connection, { timeout: 5000 });
    const consumers: Consumer[] = [];
    for await (const { name, num_ack_pending, num_pending } of manager.consumers.list("REGISTRY")) {
      consumers.push({ group: name, waiting: num_pending, underWay: num_ack_pending });
    }
    return consumers;
  } finally {
    await connection.close();
  }
}
