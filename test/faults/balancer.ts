import { answersHttp } from "../servers/probes.ts";

const lookEveryMs = 250;

/**
 * Which gateway the next request goes to: in turn, those that say that they are ready. As simple as a balancer can be: it
 * repeats nothing.
 */
export class Balancer {
  readonly #urls: readonly string[];
  readonly #timer: NodeJS.Timeout;
  #ready: readonly string[];
  #next = 0;

  constructor(urls: readonly string[]) {
    this.#urls = urls;
    this.#ready = urls;
    this.#timer = setInterval(() => void this.#look(), lookEveryMs);
  }

  /** @throws where none is ready */
  take(): string {
    this.#next += 1;
    const url = this.#ready[this.#next % this.#ready.length];
    if (url === undefined) throw new Error("no gateway is ready");
    return url;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const answers = await Promise.all(this.#urls.map((url) => answersHttp(`${url}/ready`)));
    this.#ready = this.#urls.filter((_, index) => answers[index]);
  }
}
