import { DeadLetterParked, DeadLetterSettled } from "./gen/registry/events/v1/dead_letters.ts";
import {
  DownloadsCounted,
  PluginDeleted,
  PluginUpdated,
  ReleaseDeleted,
  ReleasePublished,
  ReleaseQuarantined,
  ReleaseRestored,
  ReleaseUnyanked,
  ReleaseYanked,
} from "./gen/registry/events/v1/events.ts";

export { DeadLetterParked, DeadLetterSettled, UnhandledEvent } from "./gen/registry/events/v1/dead_letters.ts";
export { DownloadsCounted, DownloadTotal } from "./gen/registry/events/v1/events.ts";
export {
  PluginDeleted,
  PluginUpdated,
  ReleaseDeleted,
  ReleasePublished,
  ReleaseQuarantined,
  ReleaseRestored,
  ReleaseUnyanked,
  ReleaseYanked,
};

/** The one table from an event's subject to the message that its data is. */
export const subjects = {
  "registry.catalog.release.published": ReleasePublished,
  "registry.catalog.release.deleted": ReleaseDeleted,
  "registry.catalog.release.yanked": ReleaseYanked,
  "registry.catalog.release.unyanked": ReleaseUnyanked,
  "registry.catalog.release.quarantined": ReleaseQuarantined,
  "registry.catalog.release.restored": ReleaseRestored,
  "registry.catalog.plugin.updated": PluginUpdated,
  "registry.catalog.plugin.deleted": PluginDeleted,
  "registry.analytics.downloads.counted": DownloadsCounted,
  "registry.deadletters.event.parked": DeadLetterParked,
  "registry.deadletters.event.settled": DeadLetterSettled,
} as const;

export type Subject = keyof typeof subjects;
export type EventMessage<S extends Subject> = ReturnType<(typeof subjects)[S]["fromPartial"]>;

/** An event's data as it travels: the protobuf JSON form. */
export function encodeEvent<S extends Subject>(subject: S, message: EventMessage<S>): unknown {
  const codec = subjects[subject] as unknown as { toJSON(message: EventMessage<S>): unknown };
  return codec.toJSON(message);
}

/** @throws TypeError where the data is not an object */
export function decodeEvent<S extends Subject>(subject: S, data: unknown): EventMessage<S> {
  if (typeof data !== "object" || data === null) throw new TypeError(`the data of a ${subject} is not an object`);
  const codec = subjects[subject] as unknown as { fromJSON(data: unknown): EventMessage<S> };
  return codec.fromJSON(data);
}
