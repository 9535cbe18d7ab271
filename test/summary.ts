/** What the last line of a test run tells. */
export interface Summary {
  passed: number;
  failed: number;
  skipped: number;
}

interface Report {
  testResults: { name?: string; status: string; assertionResults: { status: string }[] }[];
}

/**
 * Counts the tests of vitest's JSON report. A file that fails as a whole, by an error outside of any test, counts as one
 * failed test, and so does a run that ended badly or passed nothing.
 *
 * @param report the parsed report; `undefined` when none was written.
 * @param ended whether vitest ended with exit code 0.
 */
export function summarise(report: unknown, ended: boolean): Summary {
  const files = isReport(report) ? report.testResults : [];
  const states = files.flatMap((file) => file.assertionResults.map(({ status }) => status));
  const count = (...wanted: string[]) => states.filter((state) => wanted.includes(state)).length;
  const broken = files.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"),
  ).length;
  const passed = count("passed");
  const failed = count("failed") + broken;
  const skipped = states.length - passed - count("failed");
  return { passed, failed: failed === 0 && (!ended || passed === 0) ? 1 : failed, skipped };
}

/** Whether a test of a file below the folder has passed. */
export function passedIn(report: unknown, folder: string): boolean {
  const files = isReport(report) ? report.testResults : [];
  const passed = files.filter((file) => file.assertionResults.some(({ status }) => status === "passed"));
  return passed.some(({ name = "" }) => name.startsWith(`${folder}/`));
}

/** `N passed, N failed`, and `, N skipped` where there are any. */
export function summaryLine({ passed, failed, skipped }: Summary): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function isReport(value: unknown): value is Report {
  return typeof value === "object" && value !== null && "testResults" in value && Array.isArray(value.testResults);
}
