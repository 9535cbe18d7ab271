import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { Log } from "../log.ts";
import type { OpenStore, WriterData } from "./operations.ts";

/** One thread writes for every store of the process: each further thread would cost tens of megabytes. */
interface WriterThread {
  readonly worker: Worker;
  stores: number;
}

let running: WriterThread | undefined;

function start(log: Log | undefined): WriterThread {
  const source = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
  const thread: WriterThread = { worker: new Worker(new URL(source, import.meta.url)), stores: 0 };
  const ended = (): void => {
    if (running === thread) running = undefined;
  };
  // Each store learns of the end by its port, which closes with the thread.
  thread.worker.on("error", (error) => {
    log?.error({ err: error }, "the writer thread of the document stores ended");
    ended();
  });
  thread.worker.once("exit", ended);
  thread.worker.unref();
  return thread;
}

/** A line to the writer of one store; the thread ends with the last of them. The port closes when the writer has ended. */
export function openWriter(data: WriterData, log: Log | undefined): MessagePort {
  running ??= start(log);
  const thread = running;
  thread.stores += 1;
  const { port1, port2 } = new MessageChannel();
  port1.once("close", () => {
    thread.stores -= 1;
    if (thread.stores > 0) return;
    if (running === thread) running = undefined;
    void thread.worker.terminate();
  });
  thread.worker.postMessage({ port: port2, data } satisfies OpenStore, [port2]);
  return port1;
}
