import { setImmediate } from "node:timers/promises";
import { unavailable } from "@registry/domain";
import { type Clock, Gate, isRecent } from "@registry/kit";
import { dayMs, dayOf, hourMs, hourOf } from "./model/time.ts";
import type { Rollups } from "./store/rollups.ts";

/** Downloads by plugin. */
export type Sums = ReadonlyMap<string, number>;

/** Counts that are read in one go, about: others of this process get their turn in between. */
const pieceFrom = 500;
const pieceTo = 2000;
/** Days or hours in one piece: what is behind those without a download may be much. */
const mostUnits = 4;
/** Fewer than these cost so little that they are read anew each time. */
const fewCounts = 1000;
const msPerCount = 0.5;
/** With what comes before, totals in answers are never ten seconds late by this. */
const longestMs = 4000;
const mostKept = 8;
const mostWaiting = 32;

interface Kept {
  readonly sums: Promise<Sums>;
  /** Milliseconds; undefined while it is read. */
  readAt?: number;
  freshMs: number;
}

/**
 * Downloads of windows of time, to the hour. Anybody may ask, and what has to be read grows with plugins and days: so
 * those that ask at once share one reading, one window is read at a time, in pieces, and what was dear is told for a moment.
 */
export class Windows {
  readonly #rollups: Rollups;
  readonly #clock: Clock;
  readonly #gate = new Gate(1, mostWaiting, () => unavailable("Analytics"));
  readonly #kept = new Map<string, Kept>();

  constructor(rollups: Rollups, clock: Clock) {
    this.#rollups = rollups;
    this.#clock = clock;
  }

  /**
   * @param from its hour is within
   * @param to a day later at least; its hour is not within; absent for all since then
   */
  downloads(from: Date, to?: Date): Promise<Sums> {
    const [start, end] = [hourOf(from), to === undefined ? undefined : hourOf(to)];
    const key = `${start.getTime()} ${end?.getTime() ?? ""}`;
    const known = this.#kept.get(key);
    if (known !== undefined && this.#isFresh(known)) return known.sums;
    const kept: Kept = { sums: this.#gate.run(never, () => this.#read(start, end, kept)), freshMs: 0 };
    kept.sums.catch(() => this.#drop(key, kept));
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    this.#trim();
    return kept.sums;
  }

  /** What is being read stays, or the next who asks would have it read once more. */
  #trim(): void {
    for (const [oldest, { readAt }] of this.#kept) {
      if (this.#kept.size <= mostKept) return;
      if (readAt !== undefined) this.#kept.delete(oldest);
    }
  }

  #isFresh({ readAt, freshMs }: Kept): boolean {
    return readAt === undefined || isRecent(this.#clock, readAt, freshMs);
  }

  #drop(key: string, kept: Kept): void {
    if (this.#kept.get(key) === kept) this.#kept.delete(key);
  }

  /** Whole days, and the hours of the days in which the window begins and ends. */
  async #read(from: Date, to: Date | undefined, kept: Kept): Promise<Sums> {
    const sums = new Map<string, number>();
    const firstWholeDay = new Date(dayOf(from).getTime() + dayMs);
    const lastDay = dayOf(to ?? this.#clock.now());
    let count = await this.#add(sums, "hour", from, firstWholeDay);
    count += await this.#add(sums, "plugin-day", firstWholeDay, lastDay);
    if (to !== undefined) count += await this.#add(sums, "hour", lastDay, to);
    else count += await this.#add(sums, "plugin-day", lastDay > firstWholeDay ? lastDay : firstWholeDay);
    kept.freshMs = count < fewCounts ? 0 : Math.min(count * msPerCount, longestMs);
    kept.readAt = this.#clock.now().getTime();
    return sums;
  }

  /** @returns how many counts were read */
  async #add(sums: Map<string, number>, level: "hour" | "plugin-day", from: Date, to?: Date): Promise<number> {
    const unit = level === "hour" ? hourMs : dayMs;
    let count = 0;
    let units = 1;
    for (let at = from; to === undefined || at < to; ) {
      const next = to && new Date(Math.min(at.getTime() + units * unit, to.getTime()));
      const found = await this.#rollups.between(level, at, next);
      for (const { plugin, count: downloads } of found) {
        if (plugin !== undefined) sums.set(plugin, (sums.get(plugin) ?? 0) + downloads);
      }
      count += found.length;
      if (next === undefined) break;
      if (found.length < pieceFrom) units = Math.min(units * 2, mostUnits);
      else if (found.length > pieceTo) units = Math.max(1, Math.floor(units / 2));
      at = next;
      await setImmediate();
    }
    return count;
  }
}

/** Nobody alone ends what others may wait for. */
const never = new AbortController().signal;
