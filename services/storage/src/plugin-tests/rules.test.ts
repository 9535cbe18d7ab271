import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verdictOf, worstOf } from "./outcome.ts";
import { OutputLog } from "./output.ts";
import { bringsTests, planFor } from "./runners.ts";
import { isArchitectureKnown, seccompFilter } from "./seccomp.ts";

const everything = { python: "pytest", node: "typescript" } as const;
const commandsFor = (paths: string[], interpreters: Parameters<typeof planFor>[1] = everything) =>
  planFor(paths, interpreters).runners.map((runner) => runner.command.join(" "));

describe("which tests are run", () => {
  it("is told by the files of the folder tests at the root, and by them alone", () => {
    expect(bringsTests(["tests/a.txt"])).toBe(true);
    for (const path of ["tests", "test/a.py", "src/tests/a.py", "Tests/a.py", "tests.py"]) {
      expect(bringsTests([path])).toBe(false);
      expect(commandsFor([path])).toEqual([]);
    }
  });

  it("follows what is there to run them with", () => {
    const python = ["tests/test_a.py", "src/b.test.js"];
    expect(commandsFor(python)).toEqual(["python3 -m pytest -q -p no:cacheprovider tests"]);
    const unittest = { ...everything, python: "unittest" } as const;
    expect(commandsFor(python, unittest)).toEqual(["python3 -m unittest discover -s tests -v"]);
    const module = [...python, "tests/__init__.py"];
    expect(commandsFor(module, unittest)).toEqual(["python3 -m unittest discover -s tests -t . -v"]);
    const scripts = ["tests/a.test.js", "tests/deep/b.test.ts", "tests/helper.js"];
    expect(commandsFor(scripts)).toEqual(["node --test --test-concurrency=1 tests/a.test.js tests/deep/b.test.ts"]);
    expect(commandsFor([...python, ...scripts])).toHaveLength(2);
  });

  it("names the languages that cannot be run", () => {
    const paths = ["tests/test_a.py", "tests/a.test.mjs", "tests/b.test.ts"];
    expect(planFor(paths, { python: undefined, node: undefined }).missing).toEqual(["Python", "JavaScript"]);
    expect(planFor(paths, { python: "pytest", node: "javascript" }).missing).toEqual(["TypeScript"]);
    expect(planFor(paths, everything).missing).toEqual([]);
  });
});

describe("what the end of a run means", () => {
  const exited = (code: number) => ({ how: "exited", code }) as const;

  it("follows the runner's exit code", () => {
    const results = (runner: "pytest" | "unittest" | "node", log = "") =>
      [0, 1, 2, 3, 4, 5, 127, 137].map((code) => verdictOf(runner, exited(code), log).result);
    const failed = Array.from({ length: 4 }, () => "failed");
    expect(results("pytest")).toEqual(["passed", ...failed, "error", "error", "failed"]);
    expect(results("unittest")).toEqual(["passed", ...failed, "error", "error", "failed"]);
    expect(results("node")).toEqual(["passed", ...failed, "failed", "error", "failed"]);
    expect(results("unittest", "…\nRan 0 tests in 0.000s\n\nOK\n")[0]).toBe("error");
  });

  it("names the limit that was gone over, and the signal", () => {
    expect(verdictOf("node", { how: "cut", limit: "60 seconds" }, "").summary).toContain("60 seconds");
    expect(verdictOf("node", exited(128 + 24), "").summary).toContain("CPU time");
    expect(verdictOf("node", exited(128 + 11), "").summary).toContain("SIGSEGV");
    expect(verdictOf("node", { how: "not started", why: "a path of the machine" }, "").summary).not.toContain("path");
  });

  it("of several is the worst", () => {
    const of = (...results: ("passed" | "failed" | "error")[]) =>
      worstOf(results.map((result) => ({ result, summary: result }))).result;
    expect([of("passed"), of("passed", "error"), of("error", "failed", "passed")]).toEqual([
      "passed",
      "error",
      "failed",
    ]);
  });
});

describe("the output that is kept", () => {
  const maxBytes = 64 * 1024;
  const textOf = (chunks: readonly Uint8Array[]): string => {
    const log = new OutputLog();
    for (const chunk of chunks) log.write(chunk);
    return log.text();
  };

  it("is everything where it is short", () => {
    expect(textOf([Buffer.from("ä→😀\n\tß"), Buffer.from("\r\u0007end")])).toBe("ä→😀\n\tßend");
  });

  it("is at most 64 KiB of plain, well-formed text, with its head and tail, however it comes", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom("😀", "ä", "\u001b[31m", "\u202e", "x").map((text) => Buffer.from(text.repeat(9000))),
      fc.constantFrom(0xff, 0xe2, 0x80, 0x41).map((byte) => Buffer.alloc(50_001, byte)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = textOf([Buffer.from("HEAD\n"), ...pieces, Buffer.from("\nTAIL")]);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxBytes);
        expect(text.isWellFormed()).toBe(true);
        expect(text.startsWith("HEAD\n") && text.endsWith("\nTAIL")).toBe(true);
        expect(/[^\P{Cc}\n\t]|\u202e/u.test(text)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it("is the same however the bytes are cut into chunks, and counts what it leaves out", () => {
    const bytes = Buffer.from(Array.from({ length: 30_000 }, (_, n) => `line ${n}\n`).join(""));
    const whole = textOf([bytes]);
    for (const size of [1, 7, 1024, 32_512, 100_000]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
        bytes.subarray(n * size, (n + 1) * size),
      );
      expect(textOf(chunks)).toBe(whole);
    }
    const left = Number(/\[… (\d+) bytes were cut here …\]/.exec(whole)?.[1]);
    const [head = "", tail = ""] = whole.split(/\n\[… \d+ bytes were cut here …\]\n/);
    expect(Buffer.byteLength(head) + left + Buffer.byteLength(tail)).toBe(bytes.length);
  });
});

describe("the filter of system calls", () => {
  /** What a kernel would answer, by running the program. */
  function answerOf(filter: Buffer, audit: number, call: number, argument = 0): number {
    const data = new Map([
      [0, call],
      [4, audit],
      [16, argument],
    ]);
    let value = 0;
    for (let at = 0; at < filter.length / 8; at++) {
      const [code, operand] = [filter.readUInt16LE(at * 8), filter.readUInt32LE(at * 8 + 4)];
      if (code === 0x20) value = data.get(operand) ?? 0;
      else if (code === 0x06) return operand;
      else {
        const holds = code === 0x15 ? value === operand : value >= operand;
        at += filter.readUInt8(at * 8 + (holds ? 2 : 3));
      }
    }
    throw new Error("a filter without an answer");
  }
  const allow = 0x7fff0000;
  const refuse = 0x00050001;

  it.each([
    { architecture: "x64", audit: 0xc000003e, read: 0, socket: 41, memfd: 319 },
    { architecture: "arm64", audit: 0xc00000b7, read: 63, socket: 198, memfd: 279 },
  ])("of $architecture lets through what tests need", ({ architecture, audit, read, socket, memfd }) => {
    const filter = seccompFilter(architecture);
    expect(answerOf(filter, audit, read)).toBe(allow);
    expect(answerOf(filter, audit, memfd)).toBe(refuse);
    expect([1, 2, 10, 16].map((family) => answerOf(filter, audit, socket, family))).toEqual(Array(4).fill(allow));
    // AF_PACKET, AF_ALG, AF_VSOCK, AF_XDP
    expect([17, 38, 40, 44].map((family) => answerOf(filter, audit, socket, family))).toEqual(Array(4).fill(refuse));
    expect(answerOf(filter, 0x40000003, read)).toBe(0x80000000);
    expect(answerOf(filter, audit, 0x40000000 + read)).toBe(refuse);
  });

  it("is there for these two alone", () => {
    expect(isArchitectureKnown("constructor")).toBe(false);
    expect(() => seccompFilter("riscv64")).toThrow("riscv64");
  });
});
