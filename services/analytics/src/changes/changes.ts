import type { Bus, Subscription } from "@registry/bus";
import type { Documents } from "@registry/documents";
import { Periodic, type ServiceTable, type SettingsOf, type Surroundings } from "@registry/kit";
import { before, dayMs } from "../model/time.ts";
import type { changeSettings } from "./config.ts";
import { changeTable } from "./grpc.ts";
import { changeSubjects } from "./model/change.ts";
import type { ChangeParts } from "./parts.ts";
import { Recorder } from "./recorder.ts";
import { ChangeStore } from "./store/changes.ts";
import { Tail } from "./tail.ts";

export interface ChangesDeps extends Pick<Surroundings, "clock" | "keys" | "log" | "clients"> {
  readonly documents: Documents;
  readonly bus: Bus;
}

/** The change feed as a part of the service. */
export interface Changes {
  readonly parts: ChangeParts;
  readonly table: ServiceTable;
  start(): Promise<void>;
  close(): Promise<void>;
}

const trimEveryMs = 3600_000;

export async function openChanges(config: SettingsOf<typeof changeSettings>, deps: ChangesDeps): Promise<Changes> {
  const { documents, bus, clock, keys, log, clients } = deps;
  const store = await ChangeStore.open(documents);
  const tail = new Tail(store, log);
  const recorder = new Recorder(store, clock, () => tail.nudge());
  const parts: ChangeParts = { clock, keys, log, clients, changes: store, tail };
  const trim = () => store.trim(before(clock.now(), config.CHANGES_RETENTION_DAYS * dayMs));
  const trimming = new Periodic(trim, {
    everyMs: trimEveryMs,
    log,
    failed: "old changes not removed, tried again in an hour",
  });
  let subscriptions: readonly Subscription[] = [];
  return {
    parts,
    table: changeTable(parts),
    async start() {
      const durable = await bus.subscribe({ group: "changes", subjects: [changeSubjects] }, ({ event }) =>
        recorder.record(event),
      );
      subscriptions = [durable, await bus.tap([changeSubjects], () => tail.nudge())];
      tail.start();
      trimming.start();
      void trimming.kick();
    },
    async close() {
      tail.close();
      await Promise.all([trimming.close(), ...subscriptions.map((subscription) => subscription.close())]);
    },
  };
}
