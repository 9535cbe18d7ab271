import type { Documents } from "@registry/documents";
import {
  type AuditJournal,
  Periodic,
  Sampler,
  type ServiceTable,
  type SettingsOf,
  type Surroundings,
} from "@registry/kit";
import { Limits } from "@registry/limits";
import type { Changes } from "../changes/changes.ts";
import { before, dayMs } from "../model/time.ts";
import type { webhookSettings } from "./config.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Fanout } from "./fanout.ts";
import { webhookTable } from "./grpc.ts";
import { createWebhookMetrics } from "./metrics.ts";
import { AllowedAddresses } from "./model/addresses.ts";
import type { WorkParts } from "./parts.ts";
import { type Resolve, systemResolve } from "./sending/resolve.ts";
import { Sender } from "./sending/sender.ts";
import { Sights } from "./sights.ts";
import { DeliveryStore } from "./store/deliveries.ts";
import { WebhookStore } from "./store/webhooks.ts";

/** How receivers are found, where that is not as usual. */
export interface Receivers {
  readonly resolve?: Resolve;
  /** Authority of their certificates. */
  readonly ca?: string;
}

export interface WebhooksDeps extends Pick<Surroundings, "clock" | "ids" | "keys" | "log" | "clients" | "metrics"> {
  readonly documents: Documents;
  readonly changes: Changes;
  readonly journal: AuditJournal;
  readonly version: string;
  readonly alone: boolean;
  readonly receivers: Receivers;
}

/** Webhooks as a part of the service. */
export interface Webhooks {
  readonly table: ServiceTable;
  start(): Promise<void>;
  close(): Promise<void>;
}

const trimEveryMs = 3600_000;

export async function openWebhooks(config: SettingsOf<typeof webhookSettings>, deps: WebhooksDeps): Promise<Webhooks> {
  let kick = (): void => undefined;
  const parts = await createParts(config, deps, () => kick());
  const dispatcher = new Dispatcher(parts);
  kick = () => dispatcher.kick();
  const fanout = new Fanout({ ...parts, tail: deps.changes.parts.tail });
  const sampler = samplerOf(parts, fanout);
  const failed = "old deliveries of webhooks not removed, tried again in an hour";
  const trimming = new Periodic(() => trim(parts), { everyMs: trimEveryMs, log: deps.log, failed });
  return {
    table: webhookTable(parts),
    async start() {
      if (deps.alone) await parts.webhooks.releaseAll();
      fanout.start();
      dispatcher.start();
      sampler.start();
      trimming.start();
      void trimming.kick();
    },
    async close() {
      await fanout.close();
      await dispatcher.close();
      await sampler.close();
      await trimming.close();
    },
  };
}

async function createParts(
  config: SettingsOf<typeof webhookSettings>,
  deps: WebhooksDeps,
  kick: () => void,
): Promise<WorkParts> {
  const { documents, clock, ids, keys, log, clients, metrics, changes, journal, version, receivers } = deps;
  const allowed = new AllowedAddresses(config.WEBHOOK_ALLOWED_NETWORKS);
  const resolve = receivers.resolve ?? systemResolve(allowed.some);
  return {
    ...{ config, clock, ids, keys, log, clients, allowed, journal, version, kick },
    changes: changes.parts.changes,
    webhooks: await WebhookStore.open(documents),
    deliveries: await DeliveryStore.open(documents),
    sights: new Sights({ clients, clock, ids }),
    limits: await Limits.open(documents, clock, (limit) => metrics.rateLimited.inc({ limit })),
    sender: new Sender({ allowed, resolve, timeoutMs: config.WEBHOOK_TIMEOUT_SECONDS * 1000, ca: receivers.ca }),
    metrics: createWebhookMetrics(metrics),
  };
}

function samplerOf({ metrics, deliveries, webhooks, clock, log }: WorkParts, fanout: Fanout): Sampler {
  const samplePending = async (): Promise<void> => metrics.pending.set(await deliveries.pending());
  const sampleDue = async (): Promise<void> => {
    const now = clock.now();
    const since = [await fanout.oldest(), await webhooks.oldestDue(now)].flatMap((time) => time?.getTime() ?? []);
    metrics.oldestDue.set(Math.max(0, now.getTime() - Math.min(now.getTime(), ...since)) / 1000);
  };
  return new Sampler([samplePending, sampleDue], log);
}

async function trim({ config, clock, deliveries, limits }: WorkParts): Promise<void> {
  const now = clock.now();
  await Promise.all([deliveries.trim(before(now, config.WEBHOOK_LOG_DAYS * dayMs)), limits.sweep(now)]);
}
