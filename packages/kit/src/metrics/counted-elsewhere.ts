import { Counter, type CounterConfiguration } from "prom-client";

/** One series of a metric at this moment. */
export interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Configuration extends Omit<CounterConfiguration<string>, "collect"> {
  /** Asked at each scrape; fails never, since that would cost the scrape every other metric as well. */
  readonly read: () => readonly Reading[] | Promise<readonly Reading[]>;
}

/** A counter of what is counted elsewhere: it has the series that are read, and no others. */
export class CountedElsewhere extends Counter {
  readonly #read: Configuration["read"];

  constructor({ read, ...configuration }: Configuration) {
    super(configuration);
    this.#read = read;
  }

  override async get() {
    const [own, readings] = await Promise.all([super.get(), this.#read()]);
    return { ...own, values: readings.map(({ labels, value }) => ({ labels, value })) };
  }
}
