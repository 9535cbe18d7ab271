import { Worker } from "node:worker_threads";
import { RegistryError } from "@registry/domain";
import type { Inspection } from "./inspection.ts";
import type { ArchiveLimits } from "./limits.ts";
import type { ArchiveFile, OpenOptions } from "./open.ts";
import type { Job, Reply } from "./worker-messages.ts";

export interface InspectionWorkersOptions {
  /** Threads at most; each is started when it is first needed. */
  readonly threads: number;
  /** Milliseconds after which one inspection is given up and its thread ended. */
  readonly timeoutMs: number;
  /** MiB of JavaScript heap for each thread, at least 64: with too little, V8 ends the whole process at its start. */
  readonly heapMiB: number;
}

interface Waiting {
  readonly job: Job;
  readonly resolve: (inspection: Inspection) => void;
  readonly reject: (error: unknown) => void;
}

interface Running {
  readonly waiting: Waiting;
  readonly timer: NodeJS.Timeout;
  cause: unknown;
}

const SMALLEST_HEAP = 64;
const entry = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

/**
 * Runs `inspectArchive` in threads, one package at a time in each. A thread that dies or takes too long fails its own
 * inspection only (kind `unavailable`, reason INSPECTION_FAILED: neither passed nor refused) and is replaced.
 */
export class InspectionWorkers {
  readonly #options: InspectionWorkersOptions;
  readonly #idle = new Set<Worker>();
  readonly #running = new Map<Worker, Running>();
  readonly #queue: Waiting[] = [];
  #closed = false;

  constructor(options: InspectionWorkersOptions) {
    if (options.heapMiB < SMALLEST_HEAP) throw new RangeError(`heapMiB must be at least ${SMALLEST_HEAP}`);
    this.#options = options;
  }

  /** As `inspectArchive`. */
  inspect(file: ArchiveFile, limits: ArchiveLimits, options: OpenOptions = {}): Promise<Inspection> {
    if (this.#closed) return Promise.reject(failed("the inspection workers are closed"));
    return new Promise((resolve, reject) => {
      this.#queue.push({ job: { file, limits, options }, resolve, reject });
      this.#next();
    });
  }

  /** Ends every thread; what is under way or waiting fails. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue.splice(0)) waiting.reject(failed("the inspection workers were closed"));
    await Promise.all([...this.#idle, ...this.#running.keys()].map((worker) => worker.terminate()));
  }

  #next(): void {
    if (this.#closed || (this.#idle.size === 0 && this.#running.size >= this.#options.threads)) return;
    const waiting = this.#queue.shift();
    if (waiting === undefined) return;
    const [idle] = this.#idle;
    const worker = idle ?? this.#start();
    this.#idle.delete(worker);
    const timer = setTimeout(() => void worker.terminate(), this.#options.timeoutMs);
    this.#running.set(worker, { waiting, timer, cause: undefined });
    worker.ref();
    worker.postMessage(waiting.job);
  }

  #start(): Worker {
    const worker = new Worker(entry, { resourceLimits: { maxOldGenerationSizeMb: this.#options.heapMiB } });
    worker.on("error", (error) => {
      const running = this.#running.get(worker);
      if (running !== undefined) running.cause = error;
    });
    worker.on("exit", () => {
      const cause = this.#running.get(worker)?.cause;
      this.#take(worker)?.reject(failed("its thread ended without a result", cause));
      this.#idle.delete(worker);
      this.#next();
    });
    worker.on("message", (reply: Reply) => {
      const waiting = this.#take(worker);
      if (waiting !== undefined) deliver(reply, waiting);
      worker.unref();
      this.#idle.add(worker);
      this.#next();
    });
    return worker;
  }

  #take(worker: Worker): Waiting | undefined {
    const running = this.#running.get(worker);
    this.#running.delete(worker);
    clearTimeout(running?.timer);
    return running?.waiting;
  }
}

function deliver(reply: Reply, waiting: Waiting): void {
  const { inspection, refusal, fault } = reply;
  if (inspection !== undefined) waiting.resolve(inspection);
  else if (refusal === undefined) waiting.reject(failed("the package could not be read", fault));
  else waiting.reject(new RegistryError(refusal.kind, refusal.reason, refusal.message, { fields: refusal.fields }));
}

function failed(what: string, cause?: unknown): RegistryError {
  return new RegistryError("unavailable", "INSPECTION_FAILED", `The check of the package did not end: ${what}`, {
    retryAfterSeconds: 5,
    cause,
  });
}
