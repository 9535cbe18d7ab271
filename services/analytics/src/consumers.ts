import type { Bus, Delivery, Subscription } from "@registry/bus";
import { decodeEvent, type EventMessage, type Subject } from "@registry/contracts/events";
import type { Parts } from "./parts.ts";

type Stores = Pick<Parts, "plugins" | "publishes" | "activities">;
type Consume<S extends Subject> = (parts: Stores, message: EventMessage<S>, time: Date) => Promise<void>;

/** Each effect is idempotent, so an event that comes again changes nothing. */
const consumers = {
  async "registry.catalog.release.published"(parts, message, time) {
    const { plugin, version, visibility, revision, publishedBy, publishedById } = message;
    const publishedAt = message.publishedAt ?? time;
    await parts.plugins.put({ _id: plugin, visibility, revision });
    await parts.publishes.show({ _id: `${plugin}@${version}`, plugin, version, publishedAt, publishedBy, revision });
    if (publishedById > 0) await parts.activities.note(publishedById, publishedAt);
  },
  async "registry.catalog.release.quarantined"(parts, message) {
    await parts.publishes.hide(message);
  },
  async "registry.catalog.release.restored"(parts, message, time) {
    const { plugin, version, publishedBy, revision } = message;
    const publishedAt = message.publishedAt ?? time;
    await parts.publishes.show({ _id: `${plugin}@${version}`, plugin, version, publishedAt, publishedBy, revision });
  },
  async "registry.catalog.release.deleted"(parts, { plugin, version }) {
    await parts.publishes.remove(plugin, version);
  },
  async "registry.catalog.plugin.updated"(parts, { plugin, visibility, revision }) {
    await parts.plugins.put({ _id: plugin, visibility, revision });
  },
  async "registry.catalog.plugin.deleted"(parts, { plugin, revision }) {
    await parts.plugins.put({ _id: plugin, visibility: "deleted", revision });
  },
} satisfies { readonly [S in Subject]?: Consume<S> };

type Consumed = keyof typeof consumers;

function isConsumed(subject: string): subject is Consumed {
  return Object.hasOwn(consumers, subject);
}

async function consume<S extends Consumed>(parts: Stores, subject: S, delivery: Delivery): Promise<void> {
  // The table's row takes the message of its own subject, which the compiler does not follow through a type parameter.
  const row = consumers[subject] as unknown as Consume<S>;
  await row(parts, decodeEvent(subject, delivery.event.data), delivery.event.time);
}

export function subscribe(parts: Stores, bus: Bus): Promise<Subscription> {
  return bus.subscribe({ group: "analytics", subjects: Object.keys(consumers) }, async (delivery) => {
    const { subject } = delivery.event;
    if (isConsumed(subject)) await consume(parts, subject, delivery);
  });
}
