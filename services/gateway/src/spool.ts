import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isAway, isRegistryError } from "@registry/domain";
import { type Clock, type Ids, type Logger, type Metrics, partsOf } from "@registry/kit";
import type { AddressHashes } from "./address-hashes.ts";
import { closedPath, leftBehind, openName, readIfThere } from "./spool-files.ts";
import { exportSpool, type SpoolCounters } from "./spool-metrics.ts";
import { Unwritten } from "./unwritten.ts";
import { type DownloadUse, encodeUse, readUses, type SearchUse, type Use } from "./usage.ts";

/** A file is closed and a new one begun at this size, so that none grows while analytics is away. */
const fileBytes = 4 * 1024 * 1024;
const batchSize = 1000;
const drainEveryMs = 1000;
/** No file is written to for longer than this, also while analytics is away; see `leftBehind`. */
const openForMs = 1000;
/** How often files of processes that died meanwhile are looked for. */
const adoptEveryMs = 5000;

export interface SpoolDeps {
  readonly directory: string;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly addresses: AddressHashes;
  /** Hands uses to analytics; the same id again changes nothing there. @throws RegistryError where it did not take them */
  readonly send: (uses: readonly Use[]) => Promise<void>;
  /** How long the end may wait for analytics. Default 3000. */
  readonly closeWithinMs?: number;
}

/** What a use is given here. */
type Given = "type" | "id" | "time" | "address_hash";

interface OpenFile {
  readonly path: string;
  readonly fd: number;
  readonly openedAt: number;
  bytes: number;
}

/**
 * Downloads and searches on their way to analytics. Each is one line written by a plain write before its answer ends, so
 * it outlives the process; a file is deleted once analytics has acknowledged all of it.
 */
export class UsageSpool {
  readonly #deps: SpoolDeps;
  readonly #counters: SpoolCounters;
  /** Closed files, oldest first, with their sizes. */
  #waiting: { readonly path: string; readonly bytes: number }[] = [];
  #current: OpenFile | undefined;
  #adoptedAt = 0;
  #waitingBytes = 0;
  /** Lines that are not written yet. */
  #held: string[] = [];
  readonly #unwritten = new Unwritten();
  /** The last write ended somewhere inside a line. */
  #torn = false;
  #warnedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #draining: Promise<void> | undefined;
  #closed = false;

  /** Takes over what an earlier process left in the directory. */
  constructor(deps: SpoolDeps) {
    this.#deps = deps;
    const waiting = () => ({
      bytes: this.#waitingBytes + (this.#current?.bytes ?? 0),
      oldest: this.#oldest(),
    });
    this.#counters = exportSpool(deps.metrics, waiting, () => deps.clock.now().getTime());
    mkdirSync(deps.directory, { recursive: true });
    this.#adopt("all");
  }

  /** @param which all files that nobody writes to any more, or only those that were not closed by their process */
  #adopt(which: "all" | "unclosed"): void {
    const now = this.#deps.clock.now();
    this.#adoptedAt = now.getTime();
    for (const path of leftBehind(this.#deps.directory, which, now)) {
      const bytes = statSync(path, { throwIfNoEntry: false })?.size;
      if (bytes === undefined) continue;
      this.#waiting.push({ path, bytes });
      this.#waitingBytes += bytes;
    }
  }

  /**
   * On disk when this returns, or in memory where the disk takes nothing.
   * @param address of the caller, which goes no further than this: its hash does
   */
  download(use: Omit<DownloadUse, Given>, address: string | undefined): void {
    this.#hold({ type: "download", ...this.#given(address), ...use });
    this.#flush();
  }

  /** On disk a moment later, together with the others of this moment. */
  search(use: Omit<SearchUse, Given>, address: string | undefined): void {
    if (this.#held.length === 0) setImmediate(() => this.#flush());
    this.#hold({ type: "search", ...this.#given(address), ...use });
  }

  #given(address: string | undefined): { id: string; time: string; address_hash: string } {
    const { ids, clock, addresses } = this.#deps;
    return { id: ids.unique(), time: clock.now().toISOString(), address_hash: addresses.of(address) };
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.drain().catch(() => undefined), drainEveryMs).unref();
    void this.drain().catch(() => undefined);
  }

  /** Sends what there is. Calls under way share one run. @throws what sending failed with */
  drain(): Promise<void> {
    this.#draining ??= this.#drainAll().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  /** Tries once more to send everything, for a moment; what is not taken stays on disk for the next start. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#flush();
    const ended = new AbortController();
    const late = pause(this.#deps.closeWithinMs ?? 3000, undefined, { signal: ended.signal }).catch(() => undefined);
    await Promise.race([this.#sendLast().catch(() => undefined), late]);
    ended.abort();
    this.#closed = true;
    this.#rotate();
    this.#dropUnwritten(this.#unwritten.size, undefined);
  }

  async #sendLast(): Promise<void> {
    await this.#draining?.catch(() => undefined);
    if (!this.#closed) await this.drain();
  }

  #hold(use: Use): void {
    this.#held.push(`${encodeUse(use)}\n`);
    this.#counters.spooled.inc({ type: use.type });
  }

  #flush(): void {
    this.#rotateIfOld();
    const held = this.#held;
    if (held.length === 0) return;
    const lines = Buffer.from((this.#torn ? "\n" : "") + held.join(""));
    this.#held = [];
    if (this.#waitingBytes + (this.#current?.bytes ?? 0) + lines.length > this.#deps.maxBytes) {
      this.#drop(held.length, "the spool is full: LIMIT_SPOOL_BYTES", undefined);
      return;
    }
    try {
      this.#current ??= this.#open();
      this.#torn = true;
      const written = writeSync(this.#current.fd, lines);
      this.#current.bytes += written;
      if (written < lines.length) throw new Error("short write");
      this.#torn = false;
      if (this.#current.bytes >= fileBytes) this.#rotate();
    } catch (error) {
      this.#warn("the usage spool cannot be written: what is answered is counted from memory", { err: error });
      // Of a short write some lines are in both, under the same ids.
      this.#dropUnwritten(this.#unwritten.keep(held), error);
    }
  }

  #dropUnwritten(count: number, cause: unknown): void {
    if (count > 0) this.#drop(count, "the spool cannot be written", cause);
  }

  #drop(count: number, why: string, cause: unknown): void {
    this.#counters.dropped.inc(count);
    this.#warn(`a download or search was not counted: ${why}`, { err: cause });
  }

  /** Once a minute. */
  #warn(message: string, details: object): void {
    const now = this.#deps.clock.now().getTime();
    if (now - this.#warnedAt < 60_000) return;
    this.#warnedAt = now;
    this.#deps.log.warn(details, message);
  }

  /** Names begin with the time, and all are in one directory. */
  #oldest(): string | undefined {
    let oldest = this.#current?.path;
    for (const { path } of this.#waiting) if (oldest === undefined || path < oldest) oldest = path;
    return oldest;
  }

  #open(): OpenFile {
    const openedAt = this.#deps.clock.now().getTime();
    const path = join(this.#deps.directory, openName(openedAt, this.#deps.ids.unique()));
    return { path, fd: openSync(path, "ax"), openedAt, bytes: 0 };
  }

  /** Before each write and not with each drain alone: while analytics hangs, a drain takes longer than others wait. */
  #rotateIfOld(): void {
    const now = this.#deps.clock.now().getTime();
    if (this.#current !== undefined && now - this.#current.openedAt >= openForMs) this.#rotate();
  }

  #rotate(): void {
    if (this.#current === undefined) return;
    const { path, fd, bytes } = this.#current;
    this.#current = undefined;
    this.#torn = false;
    closeSync(fd);
    const closed = closedPath(path);
    try {
      renameSync(path, closed);
    } catch {
      // Another gateway that held this one for dead has taken the file, and sends it.
      return;
    }
    this.#waiting.push({ path: closed, bytes });
    this.#waitingBytes += bytes;
  }

  async #drainAll(): Promise<void> {
    this.#flush();
    const now = this.#deps.clock.now().getTime();
    if (this.#unwritten.size > 0) await this.#unwritten.send(batchSize, (uses) => this.#send(uses));
    if (now - this.#adoptedAt >= adoptEveryMs) this.#adopt("unclosed");
    await this.#sendWaiting();
    if (this.#closed || this.#current === undefined || this.#current.bytes === 0) return;
    this.#rotate();
    await this.#sendWaiting();
  }

  async #sendWaiting(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#closed) await this.#sendFirst();
  }

  async #sendFirst(): Promise<void> {
    const file = this.#waiting[0];
    if (file === undefined) return;
    try {
      await this.#sendFile(file.path);
    } catch (error) {
      if (!isAway(error)) this.#putBehind(error);
      throw error;
    }
    this.#waiting.shift();
    this.#waitingBytes -= file.bytes;
  }

  async #sendFile(path: string): Promise<void> {
    const { uses, unreadable } = readUses(await readIfThere(path));
    if (unreadable > 0) this.#deps.log.warn({ unreadable }, "lines of the usage spool were torn and are not counted");
    for (const some of partsOf(uses, batchSize)) await this.#send(some);
    await rm(path, { force: true });
  }

  /** The first file is to blame, not analytics: the others need not wait for it. */
  #putBehind(err: unknown): void {
    const [file] = this.#waiting.splice(0, 1);
    if (file === undefined) return;
    this.#waiting.push(file);
    this.#warn("a file of the usage spool cannot be sent, tried again", { err, file: basename(file.path) });
  }

  /** One line that analytics refuses must not hold up the others, so a refused batch goes line by line. */
  async #send(uses: readonly Use[]): Promise<void> {
    try {
      await this.#deps.send(uses);
    } catch (error) {
      if (!isRegistryError(error) || (error.kind !== "invalid_argument" && error.kind !== "rejected")) throw error;
      if (uses.length === 1) this.#drop(1, "analytics refused it", error);
      else for (const use of uses) await this.#send([use]);
    }
  }
}
