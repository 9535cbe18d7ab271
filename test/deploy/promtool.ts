import { spawn } from "node:child_process";
import { once } from "node:events";
import { findServer } from "../servers/find.ts";

const deadline = 60_000;

/** Runs promtool. @returns whether it was content, and all that it said */
export async function promtool(args: string[], input = ""): Promise<{ readonly ok: boolean; readonly output: string }> {
  const program = findServer("promtool");
  if (program === undefined) throw new Error("promtool is not installed");
  const child = spawn(program, args, { stdio: "pipe", timeout: deadline });
  let output = "";
  const keep = (text: string): void => {
    output += text;
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { ok: code === 0, output };
}
