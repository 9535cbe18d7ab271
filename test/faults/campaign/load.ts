import { setTimeout as pause } from "node:timers/promises";
import { useRevoked } from "./credentials.ts";
import { download, remove, search, tryToRemove, yank } from "./deeds.ts";
import { raceToPublish, tryToPublish } from "./publishing.ts";
import { anyGateway, type Setting } from "./setting.ts";

/** Milliseconds between two requests of one client: at least, and by how much more at most. */
type Pace = readonly [number, number];

const convergeEveryMs = 250;

/** Several clients at all gateways, who go on whatever happens. */
export class Load {
  readonly #setting: Setting;
  readonly #mostPublishes: number;
  readonly #stopping = new AbortController();
  #clients: Promise<unknown> = Promise.resolve();
  #published = 0;

  /** @param mostPublishes bounds the campaign: beyond it clients only read and change */
  constructor(setting: Setting, mostPublishes: number) {
    this.#setting = setting;
    this.#mostPublishes = mostPublishes;
  }

  start(): void {
    const setting = this.#setting;
    this.#clients = Promise.all([
      this.#client([60, 160], () => this.#publish()),
      this.#client([60, 160], () => this.#publish()),
      this.#client([200, 400], () => this.#race()),
      this.#client([15, 40], () => download(setting)),
      this.#client([15, 40], () => download(setting)),
      this.#client([50, 100], () => search(setting)),
      this.#client([150, 300], () => yank(setting)),
      this.#client([500, 800], () => remove(setting)),
      this.#client([1000, 1000], () => useRevoked(setting, this.#stopping.signal)),
    ]);
  }

  /** Begins nothing more, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#clients;
  }

  /** Tries again what came to no end, as clients would; then all has been answered. @returns what was not in time */
  async converge(withinMs: number): Promise<string[]> {
    const { open, openRemovals } = this.#setting;
    const limit = performance.now() + withinMs;
    while (open.length + openRemovals.length > 0 && performance.now() < limit) {
      const [tasks, removals] = [open.splice(0), openRemovals.splice(0)];
      for (const task of tasks) await tryToPublish(this.#setting, anyGateway(this.#setting), task);
      for (const release of removals) await tryToRemove(this.#setting, release);
      if (open.length + openRemovals.length > 0) await pause(convergeEveryMs);
    }
    return [
      ...open.map(({ pack }) => `publish of ${pack.name}@${pack.version} came to no end`),
      ...openRemovals.map(({ name, version }) => `deletion of ${name}@${version} came to no end`),
    ];
  }

  async #client([least, more]: Pace, deed: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await deed();
      await pause(least + Math.random() * more, undefined, { signal }).catch(() => undefined);
    }
  }

  async #publish(): Promise<void> {
    const setting = this.#setting;
    const task = setting.open.shift() ?? this.#fresh();
    if (task !== undefined) await tryToPublish(setting, anyGateway(setting), task);
  }

  #fresh() {
    if (this.#published >= this.#mostPublishes) return undefined;
    this.#published += 1;
    return { pack: this.#setting.packages.next(), contested: false };
  }

  async #race(): Promise<void> {
    if (this.#published >= this.#mostPublishes) return;
    this.#published += 1;
    await raceToPublish(this.#setting);
  }
}
