import { execFileSync } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StorageConfig } from "./config.ts";
import { pluginFiles, zipOf } from "./testing/packages.ts";
import { bytesOf, type Files, isSandboxNeeded, pythonTest, run, sandboxed } from "./testing/sandbox.ts";
import { Stack } from "./testing/stack.ts";

const needed = isSandboxNeeded(process.env.CI);

/** Puts programs into a root file system, each with the libraries that it is linked with. */
async function copyPrograms(root: string, programs: Readonly<Record<string, string>>): Promise<void> {
  const files = new Map(Object.entries(programs));
  for (const program of Object.values(programs)) {
    const libraries = execFileSync("ldd", [program])
      .toString()
      .matchAll(/(\/\S+) \(0x/g);
    for (const [, library = ""] of libraries) files.set(library, library);
  }
  for (const [path, source] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(source, join(root, path));
  }
}

describe.runIf(needed)("the tests of a package", () => {
  sandboxed({}, (stack) => {
    it("pass, import what the package brings, and say so", async () => {
      const files = pythonTest("from weather import Tool", "self.assertIsNotNone(Tool())", "print('said by the test')");
      const report = await run(stack(), files);
      expect(report, report.log).toMatchObject({ result: "TESTS_RESULT_PASSED" });
      expect(report.log).toContain("said by the test");
    });

    it("fail with what they printed", async () => {
      const report = await run(stack(), pythonTest("self.assertEqual(1, 2, 'one is not two')"));
      expect(report, report.log).toMatchObject({ result: "TESTS_RESULT_FAILED" });
      expect(report.log).toContain("one is not two");
    });

    it("in JavaScript pass and fail, and one language that fails fails both", async () => {
      const script = (value: number) =>
        `import test from "node:test"; import assert from "node:assert"; test("it", () => assert.equal(${value}, 1));`;
      const passing = { "tests/it.test.mjs": script(1) };
      expect(await run(stack(), passing)).toMatchObject({ result: "TESTS_RESULT_PASSED" });
      expect(await run(stack(), { "tests/it.test.mjs": script(2) })).toMatchObject({ result: "TESTS_RESULT_FAILED" });
      const both = await run(stack(), { ...passing, ...pythonTest("self.fail('in Python')") });
      expect(both).toMatchObject({ result: "TESTS_RESULT_FAILED" });
      expect(both.summary).toContain("passed (node)");
      expect(both.log).toContain("in Python");
    });

    it("are an error where none is found, and where nothing can run them", async () => {
      const none = await run(stack(), { "tests/helper.py": "x = 1\n" });
      expect(none).toMatchObject({ result: "TESTS_RESULT_ERROR" });
      const unknown = await run(stack(), { "tests/spec.rb": "puts 1\n" });
      expect(unknown).toMatchObject({ result: "TESTS_RESULT_ERROR", summary: "No runner for what tests/ holds" });
    });

    it("are needed by packages that bring some, and by no others", async () => {
      const upload = async (files: Files) => await stack().upload(zipOf(pluginFiles({ extra: bytesOf(files) })));
      const bringing = await upload({ "tests/data.txt": "x" });
      expect(bringing.needsTests).toBe(true);
      const { upload: again } = await stack().storage.getUpload({ uploadId: bringing.id }, stack().asPublisher());
      expect(again?.needsTests).toBe(true);
      expect((await upload({ "src/tests/test_it.py": "x" })).needsTests).toBe(false);
    });

    it("are run for the catalog alone, and only where the package is there", async () => {
      const { storage } = stack();
      const sha256 = "0".repeat(64);
      for (const as of [stack().asPublisher(), stack().asAdmin(), stack().asService("gateway")]) {
        await expect(storage.runPackageTests({ sha256 }, as)).rejects.toMatchObject({ kind: "permission_denied" });
      }
      const asked = storage.runPackageTests({ sha256 }, stack().asService("catalog"));
      await expect(asked).rejects.toMatchObject({ reason: "BLOB_NOT_FOUND" });
    });
  });
});

describe.runIf(needed)("a root file system of the operator's own", () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "root-test-"));
    await chmod(root, 0o755);
    await copyPrograms(root, { "/usr/bin/node": process.execPath, "/usr/bin/prlimit": "/usr/bin/prlimit" });
    await copyPrograms(root, { "/bin/sh": "/bin/sh", "/bin/cat": "/bin/cat" });
  });
  afterAll(() => rm(root, { recursive: true }));

  it("is all that tests see, and tells what can be run", async () => {
    const stack = await Stack.start({ config: { PLUGIN_TESTS: "sandbox", PLUGIN_TESTS_ROOT: root } });
    const script = [
      'import test from "node:test";',
      'import { deepEqual } from "node:assert/strict";',
      'import { readdirSync } from "node:fs";',
      "const programs: string[] = readdirSync('/usr/bin').sort();",
      "test('typed', () => deepEqual([programs, readdirSync('/bin').sort()], [['node', 'prlimit'], ['cat', 'sh']]));",
    ];
    const typed = await run(stack, { "tests/it.test.ts": script.join("\n") });
    expect(typed, typed.log).toMatchObject({ result: "TESTS_RESULT_PASSED" });
    const python = await run(stack, pythonTest("pass"));
    expect(python).toMatchObject({ result: "TESTS_RESULT_ERROR", summary: "This registry cannot run tests in Python" });
    await stack.close();
  });
});

describe("where the operator", () => {
  it("has not switched tests on, none are needed or run", async () => {
    const stack = await Stack.start();
    const upload = await stack.upload(zipOf(pluginFiles({ extra: bytesOf(pythonTest("pass")) })));
    expect(upload.needsTests).toBe(false);
    const asked = stack.storage.runPackageTests({ sha256: upload.sha256 }, stack.asService("catalog"));
    await expect(asked).rejects.toMatchObject({ kind: "unimplemented", reason: "PLUGIN_TESTS_OFF" });
    await stack.close();
  });

  it("asks for a sandbox that cannot be had, the service does not start", async () => {
    const refused = expect.objectContaining({ kind: "invalid_argument", reason: "INVALID_SETTINGS" });
    const start = (config: Partial<StorageConfig>) => Stack.start({ config: { PLUGIN_TESTS: "sandbox", ...config } });
    await expect(start({ PLUGIN_TESTS_ROOT: "/nowhere" })).rejects.toEqual(refused);
    await expect(start({ PLUGIN_TESTS_ROOT: "/nowhere" })).rejects.toThrow("PLUGIN_TESTS_ROOT: ");
    await expect(start({ PLUGIN_TESTS_MEMORY: 1024 })).rejects.toThrow(/PLUGIN_TESTS: .*PLUGIN_TESTS=off/s);
  });
});
