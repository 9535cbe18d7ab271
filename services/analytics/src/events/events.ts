import { createRelay, type RelayedEvent, relayedEventsSpec, type Subscription } from "@registry/bus";
import { outboxSample, Periodic, Sampler, type ServiceTable } from "@registry/kit";
import type { AnalyticsDeps } from "../analytics.ts";
import type { Parts } from "../parts.ts";
import { Bridge } from "../rebuild/bridge.ts";
import { RebuildRunner } from "../rebuild/runner.ts";
import { DeadLetters } from "../store/dead-letters.ts";
import { RebuildJobs } from "../store/rebuild-jobs.ts";
import { ReleaseRepair } from "../store/release-repair.ts";
import { RollupRepair } from "../store/rollup-repair.ts";
import { UsagePages } from "../store/usage-pages.ts";
import { consumeDeadLetters } from "./consume-dead-letters.ts";
import { eventTable } from "./grpc.ts";
import type { EventParts } from "./parts.ts";
import { Retrier } from "./retrier.ts";

/** So long after it is over nothing tells of a dead letter any more: events are kept a week, and by the bus a day longer. */
const forgetMs = 30 * 24 * 3600 * 1000;
const forgetEveryMs = 3600 * 1000;

/** What becomes of events: dead letters, lag, rebuilds. A part of analytics with a table of its own. */
export interface Events {
  readonly table: ServiceTable;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function createEvents(parts: Parts, deps: AnalyticsDeps): Promise<Events> {
  const { documents, bus, clients, clock, ids, log } = deps;
  const deadLetters = await DeadLetters.open(documents);
  const kept = await documents.collection<RelayedEvent>(relayedEventsSpec);
  const relay = createRelay({ collection: deadLetters.collection, kept, bus, clock, log });
  const rebuilds = await RebuildJobs.open(documents);
  const rebuildParts = {
    ...parts,
    rollupRepair: await RollupRepair.open(documents),
    releaseRepair: await ReleaseRepair.open(documents),
    usagePages: await UsagePages.open(documents),
  };
  const runner = new RebuildRunner(rebuildParts, rebuilds, ids);
  const bridge = new Bridge(rebuildParts, bus);
  const kickRebuild = (): void => runner.kick();
  const table = eventTable({ bus, clients, clock, ids, log, deadLetters, relay, rebuilds, kickRebuild });
  const sampler = samplerOf({ bus, clock, deadLetters, relay }, deps);
  const retrier = new Retrier({ deadLetters, clock, ids, relay, log });
  return assemble({ deps, deadLetters, relay, runner, bridge, sampler, table, retrier });
}

interface Assembled {
  readonly deps: AnalyticsDeps;
  readonly deadLetters: DeadLetters;
  readonly relay: EventParts["relay"];
  readonly runner: RebuildRunner;
  readonly bridge: Bridge;
  readonly sampler: Sampler;
  readonly table: ServiceTable;
  readonly retrier: Retrier;
}

function assemble({ deps, deadLetters, relay, runner, bridge, sampler, table, retrier }: Assembled): Events {
  const { bus, clock, log } = deps;
  let subscription: Subscription | undefined;
  const forget = () => deadLetters.forgetBefore(new Date(clock.now().getTime() - forgetMs));
  const failed = "settled dead letters not forgotten, tried again";
  const forgetting = new Periodic(forget, { everyMs: forgetEveryMs, log, failed });
  return {
    table,
    async start() {
      subscription = await consumeDeadLetters(bus, { deadLetters, clock, log });
      forgetting.start();
      relay.start();
      runner.start();
      bridge.start();
      retrier.start();
      sampler.start();
    },
    async close() {
      await subscription?.close();
      const works = [relay, runner, bridge, sampler, retrier, forgetting];
      await Promise.all(works.map((work) => work.close()));
    },
  };
}

type Sampled = Pick<EventParts, "bus" | "clock" | "deadLetters" | "relay">;

function samplerOf({ bus, clock, deadLetters, relay }: Sampled, { metrics, log }: AnalyticsDeps): Sampler {
  const { lag, deadLetters: parked } = metrics.events;
  const sampleLag = async (): Promise<void> => {
    const groups = await bus.lag().finally(() => lag.reset());
    for (const { group, waiting, underWay } of groups) lag.set({ group }, waiting + underWay);
  };
  const sampleOutbox = outboxSample(metrics.events, "analytics", clock, () => relay.backlog());
  const sampleParked = async (): Promise<void> => parked.set(await deadLetters.count().finally(() => parked.remove()));
  return new Sampler([sampleLag, sampleOutbox, sampleParked], log);
}
