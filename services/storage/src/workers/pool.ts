import { unavailable } from "@registry/domain";
import { Gate } from "@registry/kit";
import { storageBusy } from "../model/errors.ts";
import { packageWorker, Seat, type TaskLimits } from "./seat.ts";
import { outputOf, type TaskMessage, type Tasks, type TaskType } from "./tasks.ts";

const waitingPerWorker = 32;

/**
 * A few threads for everything that inflates and parses what strangers packed, so that neither its time nor its memory nor
 * its crash is the service's own.
 */
export class WorkerPool {
  readonly #gate: Gate;
  readonly #free: Seat[];
  readonly #seats: readonly Seat[];
  #closed = false;

  /** @param entry what each thread runs */
  constructor(size: number, entry = packageWorker) {
    this.#seats = Array.from({ length: size }, () => new Seat(entry));
    this.#free = [...this.#seats];
    this.#gate = new Gate(size, size * waitingPerWorker, storageBusy);
  }

  /**
   * @throws what the task throws; kind `unavailable`, reason `STORAGE_BUSY`; `limits.timeoutError()`; the signal's reason;
   *   an Error that is no RegistryError where the worker crashed
   */
  async run<T extends TaskType>(type: T, input: Tasks[T]["input"], limits: TaskLimits): Promise<Tasks[T]["output"]> {
    return await this.#gate.run(limits.signal, async () => {
      if (this.#closed) throw unavailable("The storage service");
      const seat = this.#free.pop();
      if (seat === undefined) throw new Error("more tasks than workers were let in");
      try {
        return outputOf(await seat.perform({ type, input } as TaskMessage, limits)) as Tasks[T]["output"];
      } finally {
        this.#free.push(seat);
      }
    });
  }

  /** Ends every thread; what is under way or waiting fails with kind `unavailable`. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#seats.map((seat) => seat.close()));
  }
}
