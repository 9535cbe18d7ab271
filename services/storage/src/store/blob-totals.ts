import { setTimeout as pause } from "node:timers/promises";
import type { Logger, Metrics } from "@registry/kit";
import { Counter, Gauge } from "prom-client";
import type { BlobRecords } from "./blob-records.ts";

/** Least time between two counts. */
const pauseMs = 60_000;
/** Counting takes no more than this share of the time, however much there is to count. */
const share = 0.01;

/**
 * Shows how many packages are kept and how large they are together, as the records say: counted now and then, so that
 * a scrape costs nothing. Every replica counts the same.
 */
export class BlobTotals {
  readonly #records: BlobRecords;
  readonly #log: Logger;
  readonly #count: Gauge;
  readonly #bytes: Gauge;
  readonly #controller = new AbortController();
  #running: Promise<void> | undefined;

  constructor(records: BlobRecords, { registry }: Metrics, log: Logger) {
    this.#records = records;
    this.#log = log;
    const registers = [registry];
    this.#count = new Gauge({ name: "registry_blobs", help: "Packages kept, as every replica counts them", registers });
    this.#bytes = new Gauge({
      name: "registry_blobs_bytes",
      help: "Bytes of the packages kept, as every replica counts them; what is derived from them is left out",
      registers,
    });
  }

  start(): void {
    this.#running ??= this.#run(this.#controller.signal);
  }

  async close(): Promise<void> {
    this.#controller.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedAt = performance.now();
      try {
        const { count, bytes } = await this.#records.totals(signal);
        this.#count.set(count);
        this.#bytes.set(bytes);
      } catch (err) {
        if (!signal.aborted) this.#log.warn({ err }, "packages kept could not be counted");
      }
      const took = performance.now() - startedAt;
      await pause(Math.max(pauseMs, took / share), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** @returns to be told of the bytes of each package that has arrived */
export function countUploadBytes({ registry }: Metrics): (bytes: number) => void {
  const counter = new Counter({
    name: "registry_upload_bytes_total",
    help: "Bytes of packages that have arrived, those that were refused afterwards included",
    registers: [registry],
  });
  return (bytes) => counter.inc(bytes);
}
