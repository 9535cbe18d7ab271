import { constants } from "node:os";
import type { RunnerName } from "./runners.ts";

/** As `RunPackageTests` answers: tests that passed, that did not, or that could not be run. */
export type TestsResult = "passed" | "failed" | "error";

export interface Verdict {
  readonly result: TestsResult;
  /** A sentence for whoever published the package. */
  readonly summary: string;
}

export interface TestsReport extends Verdict {
  /** At most 64 KiB of UTF-8 without control characters. */
  readonly log: string;
}

/** How a command in the sandbox came to its end. */
export type Ended =
  | {
      readonly how: "exited";
      /** 128 and the signal's number where it was killed. */
      readonly code: number;
    }
  | {
      readonly how: "cut";
      /** What it had too much of: `60 seconds`, … */
      readonly limit: string;
    }
  | { readonly how: "not started"; readonly why: string };

const notFoundCodes = new Set([126, 127]);
/** Of pytest, and of unittest since Python 3.12. */
const nothingCollectedCode = 5;

/** @param log what the command printed */
export function verdictOf(runner: RunnerName, ended: Ended, log: string): Verdict {
  switch (ended.how) {
    case "cut":
      return {
        result: "failed",
        summary: `The tests (${runner}) were ended: they went over the limit of ${ended.limit}`,
      };
    case "not started":
      return {
        result: "error",
        summary: "The sandbox for the tests could not be started; the operator's log says why",
      };
    case "exited":
      return verdictOfExit(runner, ended.code, log);
    default:
      return ended satisfies never;
  }
}

function verdictOfExit(runner: RunnerName, code: number, log: string): Verdict {
  if (code === 0 && !(runner === "unittest" && /^Ran 0 tests\b/m.test(log))) {
    return { result: "passed", summary: `The tests passed (${runner})` };
  }
  if (code === 0 || (code === nothingCollectedCode && runner !== "node")) {
    return { result: "error", summary: `tests/ holds files, but ${runner} found no test in them` };
  }
  if (notFoundCodes.has(code)) return { result: "error", summary: `The tests could not be started (${runner})` };
  if (code === 128 + constants.signals.SIGXCPU) {
    return { result: "failed", summary: `The tests (${runner}) were ended: they went over the limit of CPU time` };
  }
  const signal = Object.entries(constants.signals).find(([, number]) => code === 128 + number)?.[0];
  const how = signal === undefined ? `exit code ${code}` : `ended by ${signal}`;
  return { result: "failed", summary: `The tests failed (${runner}, ${how})` };
}

const weight: Record<TestsResult, number> = { passed: 0, error: 1, failed: 2 };

/** Of several runners the worst result counts, and all are told. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  const worse = (worst: TestsResult, { result }: Verdict): TestsResult =>
    weight[result] > weight[worst] ? result : worst;
  const result = verdicts.reduce(worse, "passed");
  return { result, summary: verdicts.map((verdict) => verdict.summary).join(". ") };
}
