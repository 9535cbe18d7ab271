import type { MessagePort } from "node:worker_threads";
import { RegistryError, unavailable } from "@registry/domain";
import type { Log } from "../log.ts";
import { DuplicateKeyError } from "../port.ts";
import type { Failure, FromWriter, Operation, Outcome, ResultOf, Results, ToWriter, WriterData } from "./operations.ts";
import { openWriter } from "./writer-thread.ts";

const maxBatch = 1000;
const maxBatchCharacters = 8 * 1024 * 1024;
/** About as many: what exactly is in a change is not worth counting. */
const changeCharacters = 256;

interface Waiting {
  readonly operation: Operation;
  readonly resolve: (value: Results[keyof Results]) => void;
  readonly reject: (error: Error) => void;
}

export function errorOf(failure: Failure): Error {
  switch (failure.type) {
    case "duplicate":
      return new DuplicateKeyError(failure.collection, failure.index);
    case "registry":
      return new RegistryError(failure.kind, failure.reason, failure.message);
    default:
      return unavailable("the document store", new Error(failure.message));
  }
}

function sizeOf(operation: Operation): number {
  if (operation.kind === "insert") return operation.text.length;
  if (operation.kind === "insertNew") return operation.texts.reduce((sum, text) => sum + text.length, 0);
  if (operation.kind === "updateEach") return operation.changes.length * changeCharacters;
  return changeCharacters;
}

/**
 * Hands operations to the writer thread. While one batch is written, the next one gathers: whatever waits goes
 * together and shares one sync of the disk.
 */
export class WriteQueue {
  readonly #writer: MessagePort;
  readonly #timeoutMs: number;
  readonly #log: Log | undefined;
  readonly #exited: Promise<void>;
  #waiting: Waiting[] = [];
  /** Undefined while the writer is idle. */
  #inFlight: readonly Waiting[] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #down: Error | undefined;
  #idle: (() => void)[] = [];

  private constructor(writer: MessagePort, timeoutMs: number, log: Log | undefined) {
    this.#writer = writer;
    this.#timeoutMs = timeoutMs;
    this.#log = log;
    this.#exited = new Promise((resolve) => {
      writer.once("close", () => {
        this.#fail(unavailable("the document store"));
        resolve();
      });
    });
  }

  /** @throws RegistryError kind `unavailable` if the file cannot be opened */
  static async start(data: WriterData, log: Log | undefined): Promise<WriteQueue> {
    const writer = openWriter(data, log);
    const queue = new WriteQueue(writer, data.timeoutMs, log);
    await new Promise<void>((resolve, reject) => {
      writer.once("close", () => reject(unavailable("the document store")));
      writer.once("message", (message: FromWriter) => {
        if ("failed" in message) reject(errorOf(message.failed));
        else resolve();
      });
    });
    writer.on("message", (message: FromWriter) => {
      if ("outcomes" in message) queue.#settle(message.outcomes);
    });
    writer.unref();
    return queue;
  }

  /** Resolves once the operation is on the disk. */
  submit<O extends Operation>(operation: O): Promise<ResultOf<O>> {
    if (this.#down !== undefined) return Promise.reject(this.#down);
    return new Promise<ResultOf<O>>((resolve, reject) => {
      // The writer answers an operation with the result of its kind.
      this.#waiting.push({ operation, resolve: resolve as Waiting["resolve"], reject });
      if (this.#waiting.length === 1) queueMicrotask(() => this.#flush());
    });
  }

  #nextBatch(): Waiting[] {
    let characters = 0;
    let size = 0;
    for (const { operation } of this.#waiting) {
      characters += sizeOf(operation);
      if (size > 0 && (size === maxBatch || characters > maxBatchCharacters)) break;
      size += 1;
    }
    return this.#waiting.splice(0, size);
  }

  #flush(): void {
    if (this.#inFlight !== undefined || this.#down !== undefined || this.#waiting.length === 0) return;
    const batch = this.#nextBatch();
    this.#inFlight = batch;
    const message: ToWriter = { batch: batch.map(({ operation }) => operation) };
    this.#writer.ref();
    this.#timer = setTimeout(() => this.#overdue(), this.#timeoutMs);
    this.#writer.postMessage(message);
  }

  #overdue(): void {
    this.#log?.error({ timeoutMs: this.#timeoutMs }, "the disk does not answer in time");
    // What is in flight may still be written: its outcome is unknown, as after any timeout.
    const overdue = [...(this.#inFlight ?? []), ...this.#waiting.splice(0)];
    this.#inFlight = [];
    for (const { reject } of overdue) reject(unavailable("the document store"));
    this.#timer = setTimeout(() => this.#overdue(), this.#timeoutMs);
  }

  #settle(outcomes: readonly Outcome[]): void {
    const batch = this.#inFlight ?? [];
    clearTimeout(this.#timer);
    this.#inFlight = undefined;
    batch.forEach(({ resolve, reject }, i) => {
      const outcome = outcomes[i];
      if (outcome !== undefined && "value" in outcome) resolve(outcome.value);
      else reject(errorOf(outcome?.failure ?? { type: "store", message: "the writer gave no outcome" }));
    });
    this.#flush();
    if (this.#inFlight !== undefined) return;
    this.#writer.unref();
    for (const done of this.#idle.splice(0)) done();
  }

  #fail(error: Error): void {
    this.#down ??= error;
    clearTimeout(this.#timer);
    const lost = [...(this.#inFlight ?? []), ...this.#waiting.splice(0)];
    this.#inFlight = undefined;
    for (const { reject } of lost) reject(error);
    for (const done of this.#idle.splice(0)) done();
  }

  /** Waits for what was submitted, then ends the thread. */
  async close(): Promise<void> {
    if (this.#inFlight !== undefined || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    this.#down ??= unavailable("the document store");
    this.#writer.ref();
    this.#writer.postMessage({ close: true } satisfies ToWriter);
    await this.#exited;
  }
}
