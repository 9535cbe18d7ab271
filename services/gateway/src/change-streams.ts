import type { ServerResponse } from "node:http";
import type { Change, ChangeServiceDefinition, ListChangesResponse } from "@registry/contracts/changes";
import { isAway, isRegistryError, rateLimited } from "@registry/domain";
import { anySignal, type Clock, isRecent, type Logger, type PassedOn, type ServiceClient } from "@registry/kit";
import { networkOf } from "@registry/limits";
import type { AnswerTimes } from "./answer-times.ts";
import { beginStream, writeTo } from "./download.ts";
import type { HeadWatch } from "./head-watch.ts";
import type { Call } from "./route.ts";
import { changeFields } from "./words.ts";

export interface ChangeStreamsDeps {
  readonly changes: ServiceClient<typeof ChangeServiceDefinition>;
  readonly head: HeadWatch;
  readonly clock: Clock;
  readonly log: Logger;
  readonly times: AnswerTimes;
  /** Open at once, altogether and for one address (IPv6: /64). */
  readonly most: number;
  readonly mostPerAddress: number;
}

const heartbeatMs = 15_000;
/** What a reader's credential is worth is looked at this often, so that none hears more for longer. */
const lookMs = 2000;
const callMs = 10_000;
const rowsAtOnce = 100;
const comeAgainSeconds = 10;

/** Whoever reads the feed as server-sent events. */
export class ChangeStreams {
  readonly #deps: ChangeStreamsDeps;
  readonly #open = new Map<string, number>();
  readonly #closing = new AbortController();
  #count = 0;

  constructor(deps: ChangeStreamsDeps) {
    this.#deps = deps;
  }

  /**
   * Answers with the changes after a cursor, and goes on until the reader leaves or takes nothing any more, its credential
   * ends, or this process stops.
   * @throws before anything is sent, as the service does; kind `rate_limited` where too many are open
   */
  async serve(call: Call, since: string): Promise<void> {
    const address = networkOf(call.context.address ?? "");
    this.#enter(address);
    const { head } = this.#deps;
    const release = head.hold();
    try {
      // Before the list is read: what moves meanwhile may not be in it.
      const seen = head.moves;
      const first = await this.#list(call.context, since);
      const response = beginStream(call, 200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        // Proxies of the usual kind would gather what is to arrive at once.
        "x-accel-buffering": "no",
      });
      this.#deps.times.begun(call);
      // A reader of `now` that is cut off before anything happens goes on from here.
      const place = first.changes.length === 0 ? `id: ${first.next}\n` : "";
      response.write(`retry: ${lookMs}\n${place}\n`);
      await this.#follow(call, response, first, seen);
      response.end();
    } finally {
      release();
      this.#leave(address);
    }
  }

  /** @param begun moves of the head before the first page was read */
  async #follow(call: Call, response: ServerResponse, first: ListChangesResponse, begun: number): Promise<void> {
    const { clock, log, head } = this.#deps;
    const ended = anySignal(call.context.signal, this.#closing.signal);
    let page: ListChangesResponse | undefined = first;
    let { next } = first;
    let wroteAt = clock.now().getTime();
    let seen = begun;
    try {
      let [isOwed, isSilent] = [false, false];
      while (!ended.aborted) {
        // The cursor moves past what the reader may not see, too, so that it does not age meanwhile.
        const text = page?.changes.map(eventText).join("") || (isSilent ? `:\nid: ${next}\n\n` : "");
        if (text !== "") {
          if (!(await writeTo(response, Buffer.from(text)))) return;
          wroteAt = clock.now().getTime();
        }
        // What the reader may not see moves the head, but no beat.
        const leftMs = Math.max(0, wroteAt + heartbeatMs - clock.now().getTime());
        if (page?.more !== true) await head.moved(seen, ended, Math.min(lookMs, leftMs));
        if (ended.aborted) return;
        const context = await call.renewed();
        const heard = head.moves;
        isSilent = !isRecent(clock, wroteAt, heartbeatMs);
        // Each beat has a cursor of its own: one that is new only where something happened would tell that it did.
        const isDue: boolean = isSilent || isOwed || page?.more === true || heard !== seen;
        seen = heard;
        page = isDue ? await this.#list(context, next).catch(unlessAway) : undefined;
        isOwed = isDue && page === undefined;
        next = page?.next ?? next;
      }
    } catch (error) {
      // Nothing can be answered any more; whoever comes again is told why, should it be for good.
      const reason = isRegistryError(error) ? error.reason : "";
      log.debug({ requestId: call.context.requestId, reason }, "a stream of changes ended");
    }
  }

  #list(context: PassedOn, since: string): Promise<ListChangesResponse> {
    const { changes, head, clock } = this.#deps;
    const deadline = new Date(clock.now().getTime() + callMs);
    return changes.listChanges({ since, limit: rowsAtOnce, head: head.latest }, { context: { ...context, deadline } });
  }

  #enter(address: string): void {
    const own = this.#open.get(address) ?? 0;
    if (this.#count >= this.#deps.most || own >= this.#deps.mostPerAddress || this.#closing.signal.aborted) {
      throw rateLimited(comeAgainSeconds);
    }
    this.#count += 1;
    this.#open.set(address, own + 1);
  }

  #leave(address: string): void {
    this.#count -= 1;
    const left = (this.#open.get(address) ?? 1) - 1;
    if (left > 0) this.#open.set(address, left);
    else this.#open.delete(address);
  }

  /** Ends all of them. */
  close(): void {
    this.#closing.abort();
  }
}

/** The stream waits for a feed that is away. @throws anything else */
function unlessAway(error: unknown): undefined {
  if (!isAway(error)) throw error;
}

function eventText(change: Change): string {
  return `id: ${change.cursor}\nevent: ${change.type}\ndata: ${JSON.stringify(changeFields(change))}\n\n`;
}
