import { expect, test, vi } from "vitest";
import { ScanBudget, startScan } from "./index.ts";

vi.mock("./source/index.ts", () => ({
  languageOf: () => "python",
  scanSource: () => {
    throw new RangeError("out of stack");
  },
}));

test("a check that fails is a finding, and the others still run", () => {
  const text = Buffer.from(`# ${String.fromCodePoint(0x202e)}\n`);
  const scan = startScan({ path: "src/a.py", size: text.length, mode: undefined }, new ScanBudget([]));
  scan.push(text);
  expect(scan.end()).toEqual([
    {
      rule: "scan-failed",
      severity: "high",
      message: "The check of this file (source code) failed, so nobody knows what it would have found",
      file: "src/a.py",
    },
    expect.objectContaining({ rule: "bidi-control", line: 1 }),
  ]);
});
