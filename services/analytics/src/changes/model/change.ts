import { decodeEvent, type Subject } from "@registry/contracts/events";
import { type ChangeType, isChangeType } from "@registry/domain";

const area = "registry.catalog.";
export const changeSubjects = `${area}>`;

/** What happened, as it is told. A type alias, so that it is a value of the document store. */
export type Told = {
  readonly type: ChangeType;
  readonly plugin: string;
  /** Absent where it is about the plugin as a whole. */
  readonly version?: string;
  readonly time: Date;
  /** Of what was published. */
  readonly sha256?: string;
};

/** One place in the feed. */
export type Change = Told & {
  /** From 1 on, without gaps. */
  readonly _id: number;
  readonly eventId: string;
  readonly recordedAt: Date;
};

interface Arrived {
  readonly subject: string;
  readonly time: Date;
  readonly data: unknown;
}

/** @returns undefined for an event that the feed does not tell of */
export function toldOf({ subject, time, data }: Arrived): Told | undefined {
  const type = subject.startsWith(area) ? subject.slice(area.length) : "";
  if (!isChangeType(type)) return undefined;
  // Whatever else their messages hold, such as who did it, is for the audit log.
  const message: { readonly plugin: string; readonly version?: string; readonly sha256?: string } = decodeEvent(
    `${area}${type}` satisfies Subject,
    data,
  );
  const { plugin, version, sha256 } = message;
  return {
    type,
    plugin,
    ...(version === undefined ? {} : { version }),
    time,
    ...(type === "release.published" && sha256 !== undefined ? { sha256 } : {}),
  };
}

/** What a caller may know now, as the catalog says. */
export interface Sight {
  readonly plugin: boolean;
  readonly release: boolean;
}

/**
 * Whether somebody is told of a change. That a release went is told to all who may see the plugin, since they could see
 * it while it was there and may hold a copy; everything else only as long as the release itself may be seen.
 */
export function isTold({ type, version }: Told, sight: Sight): boolean {
  const isEnd = type === "release.quarantined" || type === "release.deleted";
  return sight.plugin && (version === undefined || isEnd || sight.release);
}
