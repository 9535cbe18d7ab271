import { appendFileSync, readFileSync } from "node:fs";

/** One publish that a client tried. */
export interface PublishEntry {
  readonly type: "publish";
  /** ISO 8601, when its answer came or was given up. */
  readonly at: string;
  readonly name: string;
  readonly version: string;
  /** Of the package as it was sent, lower-case hex. */
  readonly sha256: string;
  /** Of the answer; null where none came: it may have been made or not. */
  readonly status: number | null;
}

/** One download of a whole package (no range, no HEAD, no `If-None-Match`), as the client saw it. */
export interface DownloadEntry {
  readonly type: "download";
  readonly at: string;
  readonly name: string;
  readonly version: string;
  /**
   * `complete`: 200, and every byte came: counted once. `refused`: another status: not counted. `unknown`: no answer, or
   * one that broke off: counted once or not at all.
   */
  readonly outcome: "complete" | "refused" | "unknown";
  /** Of the bytes that came, where they are those that were published (and not another packing). */
  readonly sha256?: string;
}

/** A release, or with an empty version every release of a plugin, was taken away, or was tried to be. */
export interface RemovalEntry {
  readonly type: "removal";
  readonly at: string;
  readonly name: string;
  readonly version: string;
  readonly status: number | null;
}

/** A credential was used after its revocation had been acknowledged. */
export interface UseEntry {
  readonly type: "use";
  /** When the answer came. */
  readonly at: string;
  /** When the revocation was acknowledged, ISO 8601. */
  readonly revoked: string;
  /** Of the answer; null where none came. */
  readonly status: number | null;
}

/** Something that no consumer can handle was put on the bus on purpose: it may become a dead letter. */
export interface PoisonEntry {
  readonly type: "poison";
  readonly at: string;
  /** Of the event: `ce-id`. Of a message that is no event: `unreadable-<sequence in the stream>-<its time in milliseconds>`. */
  readonly id: string;
}

/** For people who read the journal; nothing is judged by it. */
export interface NoteEntry {
  readonly type: "note";
  readonly at: string;
  readonly text: string;
}

export type Entry = PublishEntry | DownloadEntry | RemovalEntry | UseEntry | PoisonEntry | NoteEntry;
type Untimed<E> = E extends Entry ? Omit<E, "at"> : never;

/** What a client did and was told, in the order of its answers; the truth that a registry is held against. */
export class Journal {
  readonly entries: Entry[] = [];
  readonly #file: string | undefined;

  /** @param file each entry is appended to it as a line of JSON */
  constructor(file?: string) {
    this.#file = file;
  }

  add(entry: Untimed<Entry>): void {
    const timed = { at: new Date().toISOString(), ...entry } as Entry;
    this.entries.push(timed);
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(timed)}\n`);
  }
}

/** @throws Error naming the line that is no entry */
export function readJournal(file: string): Entry[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line, index) => (line.trim() === "" ? [] : [parseEntry(line, `${file}:${index + 1}`)]));
}

/** Fields that have to be there, by type: texts, and then what says what came of it. */
const fieldsOf: Readonly<Record<string, { readonly texts: readonly string[]; readonly status?: string }>> = {
  publish: { texts: ["name", "version", "sha256"], status: "status" },
  download: { texts: ["name", "version", "outcome"] },
  removal: { texts: ["name", "version"], status: "status" },
  use: { texts: ["revoked"], status: "status" },
  poison: { texts: ["id"] },
  note: { texts: ["text"] },
};

function parseEntry(line: string, where: string): Entry {
  const value = JSON.parse(line) as Record<string, unknown>;
  const fields = fieldsOf[String(value.type)];
  const missing = (fields?.texts ?? ["type"]).filter(
    (field) => fields === undefined || typeof value[field] !== "string",
  );
  const { status } = fields ?? {};
  if (status !== undefined && value[status] !== null && typeof value[status] !== "number") missing.push(status);
  if (missing.length > 0) throw new Error(`${where}: no entry of a journal: ${missing.join(", ")}`);
  return value as unknown as Entry;
}

export const isAcknowledged = (entry: Pick<PublishEntry, "status">): boolean =>
  entry.status === 200 || entry.status === 201;

/** Refused for what it is, not because something was away or too much. */
export const isRefused = ({ status }: PublishEntry): boolean =>
  status !== null && status >= 400 && status < 500 && status !== 408 && status !== 429;
