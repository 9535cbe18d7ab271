import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pluginFiles, zipOf } from "./testing/packages.ts";
import {
  bytesOf,
  commandLines,
  isRunning,
  isSandboxNeeded,
  pythonTest,
  run,
  sandboxed,
  timeoutMs,
  until,
} from "./testing/sandbox.ts";
import { Stack } from "./testing/stack.ts";

const needed = isSandboxNeeded(process.env.CI);

describe.runIf(needed)("the end of a run", () => {
  sandboxed({}, (stack) => {
    it("no process outlives its tests, however it hides", async () => {
      const mark = `left-over-${crypto.randomUUID()}`;
      const report = await run(
        stack(),
        pythonTest(
          "if os.fork() == 0:",
          "    os.setsid()",
          "    if os.fork() == 0:",
          "        import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
          `        os.execvp('python3', ['python3', '-c', 'import time; time.sleep(600)', '${mark}'])`,
          "    os._exit(0)",
          "os.wait()",
          `while not any('${mark}' in open(f'/proc/{pid}/cmdline').read() for pid in os.listdir('/proc') if pid.isdigit() and pid != str(os.getpid())): time.sleep(0.01)`,
        ),
      );
      expect(report, report.log).toMatchObject({ result: "TESTS_RESULT_PASSED" });
      expect(await isRunning(mark)).toBe(false);
    });

    it("a call that is given up ends the tests", async () => {
      const mark = `given-up-${crypto.randomUUID()}`;
      const caller = new AbortController();
      const sleeping = pythonTest(`os.execvp('python3', ['python3', '-c', 'import time; time.sleep(600)', '${mark}'])`);
      const answer = run(stack(), sleeping, { signal: caller.signal }).catch((error: unknown) => error);
      await until(() => isRunning(mark));
      caller.abort();
      expect(await answer).toBeInstanceOf(Error);
      await until(async () => !(await isRunning(mark)) && (await stack().localFiles()).length === 0);
    });
  });
});

describe.runIf(needed)("a call that is given up at any moment of its start", () => {
  sandboxed({}, (stack) => {
    it("leaves no process and no file", async () => {
      const mark = `early-${crypto.randomUUID()}`;
      const extra = bytesOf({ [`tests/${mark}.test.mjs`]: "setInterval(() => {}, 1000);" });
      const sha256 = await stack().publish(zipOf(pluginFiles({ extra })));
      for (let moment = 0; moment < 24; moment++) {
        const signal = AbortSignal.timeout(moment * 3);
        const answer = stack().storage.runPackageTests(
          { sha256 },
          { ...stack().asService("catalog"), timeoutMs, signal },
        );
        await expect(answer).rejects.toBeInstanceOf(Error);
      }
      await until(async () => !(await isRunning(mark)) && (await stack().localFiles()).length === 0);
    });
  });
});

describe.runIf(needed)("a service that is closed", () => {
  it("ends the tests that are under way and leaves nothing of them", async () => {
    const stack = await Stack.start({ config: { PLUGIN_TESTS: "sandbox" } });
    const mark = `closed-${crypto.randomUUID()}`;
    const sleeping = pythonTest(`os.execvp('python3', ['python3', '-c', 'import time; time.sleep(600)', '${mark}'])`);
    const answers = [1, 2].map(() => run(stack, sleeping).catch((error: unknown) => error));
    await until(() => isRunning(mark));
    await stack.service.close();
    expect(await isRunning(mark)).toBe(false);
    expect(await stack.localFiles()).toEqual([]);
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ kind: "unavailable" });
    await stack.close();
  });
});

describe.runIf(needed)("a process that runs a sandbox", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sandbox-test-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  function start(command: readonly string[], descriptor: number) {
    const program = new URL("./testing/run-sandboxed.ts", import.meta.url).pathname;
    const gap = new Array<"ignore">(37).fill("ignore");
    const child = spawn(process.execPath, [program, folder, ...command], {
      stdio: ["ignore", "pipe", "inherit", ...gap, descriptor],
    });
    let said = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    return { child, closed: once(child, "close"), said: () => said };
  }

  it("passes on no descriptor that it got itself from whoever started it", async () => {
    const file = await open(join(folder, "planted"), "w+");
    const list = 'for fd in /proc/$$/fd/*; do echo "$(basename $fd) $(readlink $fd)"; done';
    const { closed, said } = start(["sh", "-c", list], file.fd);
    await closed;
    await file.close();
    const [got = "", passedOn = ""] = said().split("----");
    expect(got.split("\n")).toContain("40");
    expect(passedOn).toContain("40 /dev/null");
    expect(passedOn).not.toContain("planted");
  });

  it("takes it along when it is killed", async () => {
    const mark = `killed-${crypto.randomUUID()}`;
    const file = await open(join(folder, "file"), "w+");
    const { child, closed } = start(["sh", "-c", "sleep 600; true", mark], file.fd);
    await until(async () => (await commandLines()).some((line) => line === `sh\0-c\0sleep 600; true\0${mark}\0`));
    child.kill("SIGKILL");
    await closed;
    await until(async () => !(await isRunning(mark)));
    await file.close();
  });
});
