import { inconclusiveRules, type Verdict } from "@registry/domain";
import type { ReleaseFinding } from "./release.ts";

export type CheckResult = "pending" | "passed" | "failed" | "error";
export type CheckName = "structure" | "manifest" | "content" | "name" | "tests";

/** One of the checks that a release goes through before anybody sees it. */
export type ReleaseCheck = {
  readonly name: CheckName;
  readonly result: CheckResult;
  /** In a sentence; may be empty. */
  readonly summary: string;
  readonly finishedAt?: Date;
};

export const nearMissRule = "name-near-miss";

/** What the checks of a package that was not refused came to. */
export function checksOf(verdict: Verdict<ReleaseFinding>, package_: Described, now: Date): ReleaseCheck[] {
  const about = (name: boolean): readonly ReleaseFinding[] =>
    verdict.findings.filter(({ rule, action }) => action === "hold" && (rule === nearMissRule) === name);
  const done = (name: CheckName, findings: readonly ReleaseFinding[], summary: string): ReleaseCheck => {
    const told = findings[0] === undefined ? summary : findings[0].message;
    return { name, result: resultOf(findings), summary: told, finishedAt: now };
  };
  const { container, format, files, needsTests } = package_;
  return [
    done("structure", [], `${container}, ${files} ${files === 1 ? "file" : "files"}`),
    done("manifest", [], format),
    done("content", about(false), ""),
    done("name", about(true), ""),
    ...(needsTests ? [{ name: "tests", result: "pending", summary: "" } as const] : []),
  ];
}

interface Described {
  readonly container: string;
  readonly format: string;
  readonly files: number;
  readonly needsTests: boolean;
}

function resultOf(holding: readonly ReleaseFinding[]): CheckResult {
  if (holding.length === 0) return "passed";
  return holding.some(({ rule }) => inconclusiveRules.has(rule)) ? "error" : "failed";
}

/** What a reviewer is asked to look at. */
export function reasonsOf(verdict: Verdict<ReleaseFinding>): string[] {
  const held = verdict.findings.filter(({ action }) => action === "hold");
  const told = held.map(({ rule, message, file, line }) => {
    const at = file === "" ? "" : ` (${file}${line > 0 ? `:${line}` : ""})`;
    return `${rule}: ${message}${at}`;
  });
  return [...new Set(told)].slice(0, mostReasons);
}

const mostReasons = 20;
