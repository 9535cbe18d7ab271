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

type State = Omit<ReplicaState, "_id" | "seenAt">;

/** Looks in the store for rebuilds of the search that are asked for, does them, and says so there. */
export class Rebuilder {
  readonly #deps: RebuilderDeps;
  readonly #looking: Periodic;
  /** Apart, since a rebuild may take longer than a replica that says nothing is waited for. */
  readonly #telling: Periodic;
  #state: State = { number: 0, mended: 0, plugins: 0, failure: "" };
  #told: State | undefined;

  constructor(deps: RebuilderDeps) {
    this.#deps = deps;
    const failed = "rebuilds not looked for, tried again";
    this.#looking = new Periodic(() => this.#look(), { everyMs, log: deps.log, failed });
    const untold = "it is not told how far the search is, tried again";
    this.#telling = new Periodic(() => this.#tell(), { everyMs: tellEveryMs, log: deps.log, failed: untold });
  }

  /** To be awaited before the search is loaded for the first time, which is as good as the latest rebuild. */
  async begin(): Promise<void> {
    const number = await this.#deps.rebuilds.latest().catch(() => 0);
    this.#state = { ...this.#state, number };
  }

  start(): void {
    this.#looking.start();
    this.#telling.start();
    this.kick();
  }

  kick(): void {
    void this.#looking.kick();
  }

  async #look(): Promise<void> {
    const number = await this.#deps.rebuilds.latest();
    if (number > this.#state.number) await this.#rebuild(number);
    // At once, and again until it is told.
    if (this.#told !== this.#state) await this.#telling.kick();
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
    const state = this.#state;
    await rebuilds.tell({ _id: instance, ...state, seenAt: now });
    this.#told = state;
    await rebuilds.forgetBefore(new Date(now.getTime() - goneMs));
  }

  async close(): Promise<void> {
    await Promise.all([this.#looking.close(), this.#telling.close()]);
    await this.#deps.rebuilds.leave(this.#deps.instance).catch(() => undefined);
  }
}
