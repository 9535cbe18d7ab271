import { randomUUID } from "node:crypto";
import { jetstream, jetstreamManager, type StoredMsg } from "@nats-io/jetstream";
import { connect, headers, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import type { Seeded } from "../seeded.ts";

const stream = "REGISTRY";
const dayMs = 24 * 3600 * 1000;
const timeoutMs = 10_000;

/** Past the services, as whatever else may write to the bus. */
export async function withBus<T>(url: string, work: (connection: NatsConnection) => Promise<T>): Promise<T> {
  const connection = await connect({ servers: url, timeout: timeoutMs, maxReconnectAttempts: 5 });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/**
 * Puts copies of the registry's events on the bus: under the same ids, each twice, in any order, every other one as if it
 * were a day old.
 * @param forgottenSeconds ids of events older than this are not remembered by the server: these go out as they were; of
 * younger ones it is not told the id, as if it had lost it
 * @returns how many copies the server took for new
 */
export async function sendAgain(
  connection: NatsConnection,
  random: Seeded,
  { most, forgottenSeconds }: { readonly most: number; readonly forgottenSeconds: number },
): Promise<number> {
  const events = await someEvents(connection, random, most);
  const forgotten = Date.now() - (forgottenSeconds + 1) * 1000;
  const copies = events.flatMap((event) => {
    const msgID = event.header?.get("Nats-Msg-Id") ?? "";
    return [
      { event, known: msgID === "" || event.time.getTime() > forgotten ? {} : { msgID } },
      { event, known: {} },
    ];
  });
  let taken = 0;
  for (const [index, { event, known }] of random.shuffled(copies).entries()) {
    const copy = copyOf(event, index % 2 === 0);
    const answer = await jetstream(connection).publish(event.subject, event.data, { headers: copy, ...known });
    if (!answer.duplicate) taken += 1;
  }
  return taken;
}

async function someEvents(connection: NatsConnection, random: Seeded, most: number): Promise<StoredMsg[]> {
  const manager = await jetstreamManager(connection, { timeout: timeoutMs });
  const { first_seq, last_seq } = (await manager.streams.info(stream)).state;
  const all = Array.from({ length: last_seq - first_seq + 1 }, (_, index) => first_seq + index);
  const events: StoredMsg[] = [];
  for (const seq of random.shuffled(all).slice(0, most)) {
    const event = await manager.streams.getMessage(stream, { seq });
    // Poison, and what is no event, belong to their own fault.
    const source = event?.header?.get("ce-source") ?? "";
    if (event !== null && source !== "" && source !== poisonSource) events.push(event);
  }
  return events;
}

function copyOf(event: StoredMsg, dayOld: boolean): MsgHdrs {
  const copy = headers();
  for (const [name, values] of event.header ?? []) {
    if (!name.toLowerCase().startsWith("nats-")) for (const value of values) copy.append(name, value);
  }
  const time = new Date(copy.get("ce-time"));
  if (dayOld) copy.set("ce-time", new Date(time.getTime() - dayMs).toISOString());
  return copy;
}

const poisonSource = "/tests/faults";
const poisonous = ["registry.catalog.release.published", "registry.catalog.plugin.updated"];

/** Events whose data no consumer can read, and messages that are no events at all. @returns ids that their dead letters have */
export async function sendPoison(connection: NatsConnection): Promise<string[]> {
  const { streams } = await jetstreamManager(connection, { timeout: timeoutMs });
  const ids: string[] = [];
  for (const subject of poisonous) {
    const id = `poison-${randomUUID()}`;
    const told = headers();
    const attributes = { specversion: "1.0", id, source: poisonSource, type: subject, time: new Date().toISOString() };
    for (const [name, value] of Object.entries(attributes)) told.set(`ce-${name}`, value);
    await jetstream(connection).publish(subject, JSON.stringify("poison"), { headers: told, msgID: id });
    const { seq } = await jetstream(connection).publish(subject, "no event at all");
    const stored = await streams.getMessage(stream, { seq });
    if (stored === null) throw new Error(`message ${seq} is not in the stream ${stream}`);
    ids.push(id, `unreadable-${seq}-${stored.time.getTime()}`);
  }
  return ids;
}
