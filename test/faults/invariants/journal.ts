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
}

/** A release, or with an empty version every release of a plugin, was taken away, or was tried to be. */
export interface RemovalEntry {
  readonly type: "removal";
  readonly at: string;
  readonly name: string;
  readonly version: string;
  readonly status: number | null;
}

export type Entry = PublishEntry | DownloadEntry | RemovalEntry;
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

function parseEntry(line: string, where: string): Entry {
  const value = JSON.parse(line) as Record<string, unknown>;
  const texts = ["name", "version", ...(value.type === "publish" ? ["sha256"] : [])];
  const missing = texts.filter((field) => typeof value[field] !== "string");
  if (!["publish", "download", "removal"].includes(String(value.type))) missing.push("type");
  const answered = value.type === "download" ? value.outcome : value.status;
  if (answered === undefined) missing.push(value.type === "download" ? "outcome" : "status");
  if (missing.length > 0) throw new Error(`${where}: no entry of a journal: ${missing.join(", ")}`);
  return value as unknown as Entry;
}

export const isAcknowledged = (entry: PublishEntry): boolean => entry.status === 200 || entry.status === 201;

/** Refused for what it is, not because something was away or too much. */
export const isRefused = ({ status }: PublishEntry): boolean =>
  status !== null && status >= 400 && status < 500 && status !== 408 && status !== 429;
