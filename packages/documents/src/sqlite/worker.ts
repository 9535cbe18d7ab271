import { type MessagePort, parentPort } from "node:worker_threads";
import { Database } from "./database.ts";
import type { FromWriter, OpenStore, ToWriter, WriterData } from "./operations.ts";
import { initialise } from "./schema.ts";
import { failureOf, Writer } from "./writer.ts";

function serve(port: MessagePort, { path, multikey, timeoutMs }: WriterData): void {
  const answer = (message: FromWriter): void => port.postMessage(message);
  let db: Database;
  try {
    db = new Database(path, { readOnly: false, timeoutMs });
    initialise(db);
  } catch (error) {
    answer({ failed: failureOf(error) });
    port.close();
    return;
  }
  const writer = new Writer(db, multikey);
  port.on("message", (message: ToWriter) => {
    if ("batch" in message) {
      answer({ outcomes: writer.execute(message.batch) });
      return;
    }
    db.close();
    port.close();
  });
  answer({ ready: true });
}

parentPort?.on("message", ({ port, data }: OpenStore) => serve(port, data));
