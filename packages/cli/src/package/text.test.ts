import { RegistryError } from "@registry/domain";
import { expect, it } from "vitest";
import { leftOutLines, printable, sizeText, verdictLines } from "./text.ts";
import { refusedBy, type Verdict } from "./verdict.ts";

it("shows sizes in the unit that fits", () => {
  expect([0, 999, 1000, 34_400, 1_500_000, 52_428_800, 7e12].map(sizeText)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "34 kB",
    "1.5 MB",
    "52 MB",
    "7000 GB",
  ]);
});

it("lets nothing through that a terminal would obey", () => {
  expect(printable("a\u001b[2Jb\n\u202ec\u2028größe")).toBe("a\\u{1b}[2Jb\\u{a}\\u{202e}c\\u{2028}größe");
  expect(leftOutLines([{ pattern: "\u001b[31m", count: 2 }])).toEqual(["left out: \\u{1b}[31m (2)"]);
  expect(leftOutLines([])).toEqual([]);
});

it("tells a refusal with everything that is known about it", () => {
  const fields = [
    { pointer: "archive:a", reason: "The text" },
    { pointer: "/name", reason: "other\u0007" },
  ];
  const findings = [
    { rule: "r-one", severity: "high", action: "hold", message: "m", file: "a/b.py", line: 3, pointer: null },
    { rule: "r-two", severity: "low", action: "warn", message: "m", file: "package.json", line: null, pointer: "/x" },
    { rule: "r-three", severity: "info", action: "warn", message: "m", file: null, line: null, pointer: null },
  ];
  const error = new RegistryError("rejected", "SOME_REASON", "The text", { fields });
  expect(verdictLines(refusedBy(error, { findings }))).toEqual([
    "refused: SOME_REASON — The text",
    "  archive:a",
    "  /name  other\\u{7}",
    "a/b.py:3  high  r-one  m  → hold",
    "package.json#/x  low  r-two  m  → warn",
    "package  info  r-three  m  → warn",
  ]);
});

it("tells what was accepted or held, in one line", () => {
  const refused = refusedBy(new RegistryError("rejected", "X", "x"));
  const known = { format: "skill", kind: "skill", name: "greet", version: "1.0.0", files: 1, size: 175, sha256: "ab" };
  const told = (verdict: Verdict["verdict"]) => verdictLines({ ...refused, ...known, verdict });
  expect(told("accepted")).toEqual(["accepted: greet 1.0.0 (skill, skill), 1 file, 175 B, sha256 ab"]);
  expect(told("held")).toEqual(["held for review: greet 1.0.0 (skill, skill), 1 file, 175 B, sha256 ab"]);
});
