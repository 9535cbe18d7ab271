import { type Clock, type Logger, Periodic, scrub } from "@registry/kit";
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
  readonly #looking: Periodic;
  #state: Omit<ReplicaState, "_id" | "seenAt"> = { number: 0, mended: 0, plugins: 0, failure: "" };
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(deps: RebuilderDeps) {
    this.#deps = deps;
    const failed = "rebuilds not looked for, tried again";
    this.#looking = new Periodic(() => this.#look(), { everyMs, log: deps.log, failed });
  }

  /** To be awaited before the search is loaded for the first time, which is as good as the latest rebuild. */
  async begin(): Promise<void> {
    const number = await this.#deps.rebuilds.latest().catch(() => 0);
    this.#state = { ...this.#state, number };
  }

  start(): void {
    this.#looking.start();
    this.kick();
  }

  kick(): void {
    void this.#looking.kick();
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
    await this.#looking.close();
    await this.#deps.rebuilds.leave(this.#deps.instance).catch(() => undefined);
  }
}
