import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OutputLog } from "./output.ts";
import type { Interpreters } from "./runners.ts";
import type { Sandbox } from "./sandbox.ts";

const timeoutMs = 60_000;
const probe = "probe";

/** Tells what is there, a word each; what fails says nothing. */
const script = [
  `cat ${probe}`,
  `python3 -c 'import unittest; print("unittest")' 2>&-`,
  `python3 -c 'import pytest; print("pytest")' 2>&-`,
  `node --test-concurrency=1 -p 'process.features.typescript ? "typescript" : "javascript"' 2>&-`,
  "exit 0",
].join("\n");

export type Trial =
  | { readonly works: true; readonly interpreters: Interpreters }
  | { readonly works: false; readonly why: string };

/** Runs something harmless in the very sandbox that tests get. @param folder empty; its owner removes it */
export async function tryOut(sandbox: Sandbox, folder: string): Promise<Trial> {
  await writeFile(join(await sandbox.prepare(folder), probe), "ready\n", { mode: 0o644 });
  const output = new OutputLog();
  const ended = await sandbox.run(folder, ["sh", "-c", script], {
    onOutput: (chunk) => output.write(chunk),
    timeUp: AbortSignal.timeout(timeoutMs),
    signal: new AbortController().signal,
  });
  const said = new Set(output.text().split("\n"));
  if (ended.how !== "exited" || ended.code !== 0 || !said.has("ready")) {
    return { works: false, why: ended.how === "not started" ? ended.why : output.text().trim() };
  }
  const python = said.has("pytest") ? "pytest" : said.has("unittest") ? "unittest" : undefined;
  const node = said.has("typescript") ? "typescript" : said.has("javascript") ? "javascript" : undefined;
  return { works: true, interpreters: { python, node } };
}
