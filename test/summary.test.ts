import { expect, it } from "vitest";
import { passedIn, summarise, summaryLine } from "./summary.ts";

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((state) => ({ status: state })),
});

it("counts tests by state", () => {
  const report = { testResults: [file("passed", "passed", "passed", "pending"), file("failed", "failed", "todo")] };
  expect(summaryLine(summarise(report, false))).toBe("2 passed, 1 failed, 2 skipped");
});

it("leaves skipped ones out when there are none", () => {
  expect(summaryLine(summarise({ testResults: [file("passed", "passed")] }, true))).toBe("1 passed, 0 failed");
});

it("counts a file that broke outside of its tests as a failure", () => {
  const report = { testResults: [file("passed", "passed"), file("failed"), file("failed", "pending")] };
  expect(summarise(report, false)).toEqual({ passed: 1, failed: 2, skipped: 1 });
});

it.each([
  ["no report", undefined, true],
  ["no tests", { testResults: [] }, true],
  ["only skipped tests", { testResults: [file("passed", "pending")] }, true],
  ["a bad end after good tests", { testResults: [file("passed", "passed")] }, false],
])("takes %s for a failure", (_, report, ended) => {
  expect(summarise(report, ended).failed).toBe(1);
});

it("knows where tests have passed", () => {
  const report = {
    testResults: [
      { name: "/x/test/e2e/five.test.ts", ...file("passed", "pending") },
      { name: "/x/test/stack/plan.test.ts", ...file("passed", "passed") },
    ],
  };
  expect([passedIn(report, "/x/test/stack"), passedIn(report, "/x/test/e2e"), passedIn(report, "/x/test/sta")]).toEqual(
    [true, false, false],
  );
});
