import { type Clock, type Logger, scrub } from "@registry/kit";
import type { Rebuilds, ReplicaState } from "../store/rebuilds.ts";
import type { Rebuilt } from "./feed.ts";

const everyMs = 2000;
const tellEveryMs = 10_000;
const goneMs = 24 * 3600 * 1000;

export interface RebuilderDeps {
  readonly rebuilds: Rebuilds;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of this process. */
  readonly instance: string;
  readonly rebuild: () => Promise<Rebuilt>;
}

/** Looks in the store for rebuilds of the search that are asked for, does them, and says so there. */
export class Rebuilder {
  readonly #deps: RebuilderDeps;
  #state: Omit<ReplicaState, "_id" | "seenAt"> = { number: 0, mended: 0, plugins: 0, failure: "" };
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #failing = false;

  constructor(deps: RebuilderDeps) {
    this.#deps = deps;
  }

  /** To be awaited before the search is loaded for the first time, which is as good as the latest rebuild. */
  async begin(): Promise<void> {
    const number = await this.#deps.rebuilds.latest().catch(() => 0);
    this.#state = { ...this.#state, number };
  }

  start(): void {
    this.#timer ??= setInterval(() => this.kick(), everyMs);
    this.kick();
  }

  kick(): void {
    this.#running ??= this.#look()
      .then(() => {
        this.#failing = false;
      })
      .catch((error: unknown) => {
        if (!this.#failing) this.#deps.log.warn({ err: error }, "rebuilds not looked for, tried again");
        this.#failing = true;
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #look(): Promise<void> {
    const number = await this.#deps.rebuilds.latest();
    if (number > this.#state.number) {
      await this.#rebuild(number);
      // To be told at once, and again until it is.
      this.#toldAt = Number.NEGATIVE_INFINITY;
    }
    if (performance.now() - this.#toldAt >= tellEveryMs) await this.#tell();
  }

  async #rebuild(number: number): Promise<void> {
    const { log, rebuild } = this.#deps;
    try {
      this.#state = { ...(await rebuild()), number, failure: "" };
      log.info({ ...this.#state }, "search rebuilt");
    } catch (error) {
      const failure = scrub(error instanceof Error ? error.message : String(error)).slice(0, 500);
      this.#state = { ...this.#state, failure };
      log.warn({ err: error, number }, "search not rebuilt, tried again");
    }
  }

  async #tell(): Promise<void> {
    const { rebuilds, clock, instance } = this.#deps;
    const now = clock.now();
    await rebuilds.tell({ _id: instance, ...this.#state, seenAt: now });
    await rebuilds.forgetBefore(new Date(now.getTime() - goneMs));
    this.#toldAt = performance.now();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await this.#deps.rebuilds.leave(this.#deps.instance).catch(() => undefined);
  }
}
