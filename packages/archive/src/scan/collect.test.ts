import { describe, expect, test } from "vitest";
import type { Finding } from "../inspection.ts";
import { FindingCollector } from "./collect.ts";

const finding = (severity: Finding["severity"], rule: string = severity, line = 1): Finding => ({
  rule,
  severity,
  message: "m",
  file: "a",
  line,
});
const many = (count: number, severity: Finding["severity"], rule: string = severity): readonly Finding[] =>
  Array.from({ length: count }, (_, index) => finding(severity, rule, index + 1));

describe("the findings of a package", () => {
  test("are all kept, in their order, up to two hundred", () => {
    const collector = new FindingCollector("npm");
    const all = [...many(100, "low"), ...many(100, "high")];
    for (const one of all) collector.add([one]);
    expect(collector.result()).toEqual(all);
  });
  test.each([201, 1000, 100_000])("of %i, the gravest are kept and the cut is told", (count) => {
    const collector = new FindingCollector("npm");
    for (let added = 0; added < count - 2; added += 1000) collector.add(many(Math.min(1000, count - 2 - added), "low"));
    collector.add([finding("critical"), finding("medium", "rare")]);
    const result = collector.result();
    expect(result).toHaveLength(200);
    expect(result.slice(197)).toEqual([
      finding("critical"),
      finding("medium", "rare"),
      {
        rule: "findings-cut",
        severity: "info",
        message: `${count - 199} more findings were left out, none graver than those that are listed`,
      },
    ]);
  });
  test("keep one of each rule, however grave the others are", () => {
    const collector = new FindingCollector("npm");
    collector.add([finding("info", "judged-by-the-operator")]);
    collector.add(many(5000, "critical"));
    expect(collector.result()[0]).toEqual(finding("info", "judged-by-the-operator"));
  });
  test("keep one of each severity of a rule", () => {
    const collector = new FindingCollector("npm");
    collector.add(many(5000, "critical", "r"));
    collector.add([finding("medium", "r")]);
    expect(collector.result().filter(({ severity }) => severity === "medium")).toHaveLength(1);
  });
  test("have what a decoded value holds once", () => {
    const collector = new FindingCollector("npm");
    const decoded = (file: string, pointer: string): Finding => ({
      rule: "r",
      severity: "high",
      message: "m",
      file,
      pointer,
    });
    collector.add([decoded("a", "/x"), decoded("b", "/y")]);
    collector.add([finding("high", "r")]);
    expect(collector.result()).toEqual([decoded("b", "/y"), finding("high", "r")]);
  });
});
