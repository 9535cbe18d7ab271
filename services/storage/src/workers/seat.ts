import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { unavailable } from "@registry/domain";
import type { TaskAnswer, TaskMessage } from "./tasks.ts";

export const packageWorker = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url);

/** A package of the largest size allowed needs a fraction of it; more is a fault that must not take the process along. */
const resourceLimits = { maxOldGenerationSizeMb: 512 };

export interface TaskLimits {
  readonly timeoutMs: number;
  /** What the caller is told when the time is over. */
  readonly timeoutError: () => Error;
  readonly signal: AbortSignal;
}

/** Holds one worker thread, started with its first task and again after one that had to be ended. */
export class Seat {
  readonly #entry: URL;
  #worker: Worker | undefined;
  #waiting: ((result: TaskAnswer | Error) => void) | undefined;

  constructor(entry: URL) {
    this.#entry = entry;
  }

  /** One task at a time. Where it fails for time, abort or crash, nothing of it runs any more. */
  async perform(task: TaskMessage, limits: TaskLimits): Promise<TaskAnswer> {
    const { signal } = limits;
    signal.throwIfAborted();
    const result = Promise.withResolvers<TaskAnswer | Error>();
    this.#waiting = result.resolve;
    const onAbort = (): void => result.resolve(new Aborted());
    const timer = setTimeout(() => result.resolve(limits.timeoutError()), limits.timeoutMs);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      this.#worker ??= this.#start();
      this.#worker.postMessage(task);
      const answer = await result.promise;
      if (!(answer instanceof Error)) return answer;
      await this.close();
      signal.throwIfAborted();
      throw answer;
    } finally {
      this.#waiting = undefined;
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Fails the task under way. */
  async close(): Promise<void> {
    this.#waiting?.(unavailable("The storage service"));
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, { resourceLimits });
    worker.unref();
    const lost = (error: Error): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#waiting?.(error);
    };
    worker.on("message", (answer: TaskAnswer) => this.#waiting?.(answer));
    worker.on("error", (error) => lost(new Error("a package worker crashed", { cause: error })));
    worker.on("exit", (code) => lost(new Error(`a package worker ended with code ${code}`)));
    return worker;
  }
}

class Aborted extends Error {}
