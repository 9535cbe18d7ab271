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

/** Data that is not what its subject stands for. No further delivery would make it so. */
export class MalformedEvent extends TypeError {
  override readonly name = "MalformedEvent";
}

/** As far as keys and messages have to rely on it; which names there are is for the catalog to say. */
export const namePattern = /^[\w@/.~-]{1,214}$/;
export const versionPattern = /^[\w.+-]{1,256}$/;

/** Where the catalog tells of something, it says of what. */
function checkNames(subject: Subject, { plugin, version }: { readonly [field: string]: unknown }): void {
  const needed = (name: string, value: unknown, pattern: RegExp): void => {
    if (typeof value !== "string" || !pattern.test(value)) throw new MalformedEvent(`a ${subject} has no ${name}`);
  };
  if (subject.startsWith("registry.catalog.")) needed("plugin", plugin, namePattern);
  if (subject.startsWith("registry.catalog.release.")) needed("version", version, versionPattern);
}

/** Whether every number and every time in it is one. */
function isWhole(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (value instanceof Date) return !Number.isNaN(value.getTime());
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return true;
  return Object.values(value).every(isWhole);
}

/** @throws MalformedEvent where the data is not of the subject's form, or does not say what it is about */
export function decodeEvent<S extends Subject>(subject: S, data: unknown): EventMessage<S> {
  if (typeof data !== "object" || data === null) throw new MalformedEvent(`the data of a ${subject} is no object`);
  checkNames(subject, data as { readonly [field: string]: unknown });
  const codec = subjects[subject] as unknown as { fromJSON(data: unknown): EventMessage<S> };
  let message: EventMessage<S>;
  try {
    message = codec.fromJSON(data);
  } catch (error) {
    throw new MalformedEvent(`the data of a ${subject} is of another form`, { cause: error });
  }
  if (!isWhole(message)) throw new MalformedEvent(`the data of a ${subject} has a number or a time that is none`);
  return message;
}
