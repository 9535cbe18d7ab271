import { parentPort } from "node:worker_threads";
import { isRegistryError } from "@registry/domain";
import { inspectArchive } from "./inspect.ts";
import type { Job, Reply } from "./worker-messages.ts";

/** The entry of an inspection worker: answers each `Job` with one `Reply`. */
async function answer(job: Job): Promise<Reply> {
  try {
    return { inspection: await inspectArchive(job.file, job.limits, job.options) };
  } catch (error) {
    if (isRegistryError(error)) {
      const { kind, reason, message, fields } = error;
      return { refusal: { kind, reason, message, fields } };
    }
    return { fault: error instanceof Error ? error.message : "unknown" };
  }
}

const port = parentPort;
port?.on("message", (job: Job) => {
  void answer(job).then((reply) => port.postMessage(reply));
});
