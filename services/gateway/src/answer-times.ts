import type { ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type RequestTimes, unmatched } from "./metrics.ts";
import { templateOf } from "./route.ts";

/** What proxies, too, call an answer whose client went before it had all of it. */
export const clientGone = 499;
const brokenOff = 500;

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Takes the time of each answer of the framework's, once, however it ends: nobody waits in vain unseen. */
export class AnswerTimes {
  readonly #times: RequestTimes;
  readonly #taken = new WeakSet<ServerResponse>();
  /** What was not sent to its end for another reason. */
  readonly #broken = new WeakMap<ServerResponse, number>();

  constructor(times: RequestTimes) {
    this.#times = times;
  }

  follow(request: FastifyRequest, reply: FastifyReply): void {
    const { raw } = reply;
    raw.once("close", () => {
      const early = this.#broken.get(raw) ?? clientGone;
      this.#take({ request, reply }, raw.writableFinished ? raw.statusCode : early);
    });
  }

  /** Takes it now: what follows lasts as long as its reader wants. */
  begun(exchange: Exchange): void {
    this.#take(exchange, exchange.reply.raw.statusCode);
  }

  /** That this answer will be cut off is no doing of its client's. */
  broke({ reply }: Pick<Exchange, "reply">): void {
    this.#broken.set(reply.raw, brokenOff);
  }

  /** Another answer was given on its socket, since its request broke. */
  refused(response: ServerResponse, status: number): void {
    this.#broken.set(response, status);
  }

  #take({ request, reply }: Exchange, status: number): void {
    if (this.#taken.has(reply.raw)) return;
    this.#taken.add(reply.raw);
    const { url } = request.routeOptions;
    const endpoint = url === undefined ? unmatched : templateOf(url);
    this.#times.observe(request.method, endpoint, status, reply.elapsedTime / 1000);
  }
}
