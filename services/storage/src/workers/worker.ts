import { parentPort } from "node:worker_threads";
import { extract } from "./extract.ts";
import { inspect } from "./inspect.ts";
import { repack } from "./repack.ts";
import { type TaskAnswer, type TaskMessage, type Tasks, type TaskType, toAnswer } from "./tasks.ts";
import { unpack } from "./unpack.ts";

function perform(task: TaskMessage): Promise<Tasks[TaskType]["output"]> {
  switch (task.type) {
    case "inspect":
      return inspect(task.input);
    case "repack":
      return repack(task.input);
    case "extract":
      return extract(task.input);
    case "unpack":
      return unpack(task.input);
    default:
      return task satisfies never;
  }
}

async function answer(task: TaskMessage): Promise<TaskAnswer> {
  try {
    return { outcome: "done", output: await perform(task) };
  } catch (error) {
    return toAnswer(error);
  }
}

parentPort?.on("message", async (task: TaskMessage) => {
  parentPort?.postMessage(await answer(task));
});
