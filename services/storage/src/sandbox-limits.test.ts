import { describe, expect, it } from "vitest";
import { isSandboxNeeded, pythonTest, run, sandboxed } from "./testing/sandbox.ts";

const needed = isSandboxNeeded(process.env.CI);

const MiB = 1024 * 1024;

describe.runIf(needed)("the limits of the sandbox", () => {
  const config = {
    PLUGIN_TESTS_SECONDS: 5,
    PLUGIN_TESTS_MEMORY: 128 * MiB,
    PLUGIN_TESTS_PROCESSES: 40,
    PLUGIN_TESTS_DISK: 32 * MiB,
    PLUGIN_TESTS_CONCURRENCY: 2,
  };
  sandboxed(config, (stack) => {
    it("end what takes too long", async () => {
      const endless = ["while True: pass", "time.sleep(600)"].map((line) => run(stack(), pythonTest(line)));
      for (const report of await Promise.all(endless)) {
        expect(report, report.log).toMatchObject({ result: "TESTS_RESULT_FAILED" });
        expect(report.summary).toMatch(/limit of (?:5 seconds|CPU time)/);
      }
    });

    it("hold the memory of one process and of many, also of what they share", async () => {
      const one = pythonTest(`x = bytearray(b'x') * ${256 * MiB}`, "time.sleep(600)");
      const atOnce = await run(stack(), pythonTest(`x = bytearray(b'x') * ${2048 * MiB}`));
      expect(atOnce, atOnce.log).toMatchObject({ result: "TESTS_RESULT_FAILED" });
      expect(atOnce.log).toContain("MemoryError");
      const many = pythonTest(
        "for _ in range(8):",
        "    if os.fork() == 0:",
        `        x = bytearray(b'x') * ${40 * MiB}`,
        "        time.sleep(600)",
        "os.wait()",
      );
      const shared = pythonTest(
        "import mmap",
        `x = mmap.mmap(-1, ${256 * MiB})`,
        `for at in range(0, ${256 * MiB}, 4096): x[at] = 1`,
        "time.sleep(600)",
      );
      for (const files of [one, many, shared]) {
        const report = await run(stack(), files);
        expect(report, report.log).toMatchObject({ result: "TESTS_RESULT_FAILED" });
        expect(report.summary).toContain("bytes of memory");
      }
    });

    it("hold the number of processes, whatever others the user has", async () => {
      const report = await run(
        stack(),
        pythonTest(
          "made = 0",
          "try:",
          "    for _ in range(300):",
          "        if os.fork() == 0: time.sleep(600)",
          "        made += 1",
          "except OSError as error: print('REFUSED', error)",
          "print('MADE', made)",
          "self.assertLess(made, 40)",
          "self.assertGreater(made, 20)",
        ),
      );
      expect(report, report.log).toMatchObject({ result: "TESTS_RESULT_PASSED" });
      expect(report.log).toContain("REFUSED");
    });

    it("hold what is written, by its bytes and by its files", async () => {
      const bytes = await run(
        stack(),
        pythonTest(
          "written = 0",
          "for folder in ('/tmp', '/dev/shm'):",
          "    for n in range(100):",
          "        try:",
          `            with open(f'{folder}/{n}', 'wb') as file: written += file.write(b'x' * ${MiB})`,
          "        except OSError: pass",
          `self.assertLessEqual(written, ${33 * MiB})`,
          `self.assertGreater(written, ${16 * MiB})`,
        ),
      );
      expect(bytes, bytes.log).toMatchObject({ result: "TESTS_RESULT_PASSED" });
      const files = pythonTest("for n in range(50_000): os.mknod(f'/tmp/{n}')", "time.sleep(600)");
      const report = await run(stack(), files);
      expect(report, report.log).toMatchObject({ result: "TESTS_RESULT_FAILED" });
      expect(report.summary).toContain("20000 files");
    });

    it("do not hinder the next honest package", async () => {
      expect(await run(stack(), pythonTest("pass"))).toMatchObject({ result: "TESTS_RESULT_PASSED" });
    });
  });
});
