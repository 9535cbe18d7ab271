import type { Collection, Documents } from "@registry/documents";
import { type Clock, type Ids, isRecent, type Logger, Periodic } from "@registry/kit";

interface Seat {
  readonly _id: string;
  /** Which replica; empty once it has left. */
  readonly holder: string;
  /** Goes up for as long as the holder lives. */
  readonly beat: number;
}

export interface LeadDeps {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
}

const seatId = "metrics";
const beatEveryMs = 3000;
/** Without a beat for so long, the seat is anybody's. */
const vacantAfterMs = 10_000;
/** The holder gives up this much earlier than the others may take over. */
const marginMs = 2000;
const heldMs = vacantAfterMs - marginMs;

/**
 * Which of several replicas speaks for all of them, where what they all know must be told once. Each measures by its own
 * clock how long the holder has been silent, so their clocks need not agree. Where the store is away nobody speaks.
 */
export class Lead {
  readonly #seats: Collection<Seat>;
  readonly #deps: LeadDeps;
  readonly #self: string;
  readonly #looking: Periodic;
  /** When the last beat was begun. */
  #heldAt = Number.NEGATIVE_INFINITY;
  #beat: number | undefined;
  #seen: { readonly holder: string; readonly beat: number; readonly at: number } | undefined;

  private constructor(seats: Collection<Seat>, deps: LeadDeps) {
    this.#seats = seats;
    this.#deps = deps;
    this.#self = deps.ids.unique();
    const failed = "the seat could not be looked at";
    this.#looking = new Periodic(() => this.#look(), { everyMs: beatEveryMs, log: deps.log, failed, level: "debug" });
  }

  static async open(deps: LeadDeps): Promise<Lead> {
    return new Lead(await deps.documents.collection<Seat>({ name: "seats", indexes: [] }), deps);
  }

  get held(): boolean {
    // Not where the clock was set back, either: others do not wait for that long.
    return isRecent(this.#deps.clock, this.#heldAt, heldMs);
  }

  /** Takes the seat if it is free, and again and again from now on. */
  async start(): Promise<void> {
    this.#looking.start();
    await this.look();
  }

  /** Leaves the seat to the others. */
  async close(): Promise<void> {
    await this.#looking.close();
    if (this.#beat === undefined) return;
    this.#lose();
    try {
      await this.#seats.updateOne({ _id: seatId, holder: this.#self }, { $set: { holder: "" } });
    } catch (err) {
      this.#deps.log.debug({ err }, "the seat falls vacant by itself");
    }
  }

  /** Keeps the seat, or takes it where its holder is silent. Fails never; calls under way share one run. */
  look(): Promise<void> {
    return this.#looking.kick();
  }

  async #look(): Promise<void> {
    const at = this.#now();
    if (this.#beat !== undefined) {
      if (await this.#move({ holder: this.#self, beat: this.#beat }, at)) return;
      this.#lose();
    }
    const seat = await this.#seats.findOne({ _id: seatId });
    if (seat === null) {
      const taken = await this.#seats.insertNew([{ _id: seatId, holder: this.#self, beat: 0 }]);
      if (taken.length > 0) this.#hold(0, at);
      return;
    }
    const { holder, beat } = seat;
    let seen = this.#seen;
    // By a clock that was set back, a beat that is ahead would be fresh for hours.
    if (seen?.holder !== holder || seen.beat !== beat || seen.at > at) seen = { holder, beat, at };
    this.#seen = seen;
    if (holder === "" || at - seen.at >= vacantAfterMs) await this.#move(seat, at);
  }

  /** @returns false where somebody else was faster */
  async #move({ holder, beat }: Pick<Seat, "holder" | "beat">, at: number): Promise<boolean> {
    const next = { holder: this.#self, beat: beat + 1 };
    const { matchedCount } = await this.#seats.updateOne({ _id: seatId, holder, beat }, { $set: next });
    if (matchedCount > 0) this.#hold(next.beat, at);
    return matchedCount > 0;
  }

  /** @param at before it was asked for: what it took is no time that others wait */
  #hold(beat: number, at: number): void {
    this.#beat = beat;
    this.#heldAt = at;
  }

  #lose(): void {
    this.#beat = undefined;
    this.#heldAt = Number.NEGATIVE_INFINITY;
  }

  #now(): number {
    return this.#deps.clock.now().getTime();
  }
}
