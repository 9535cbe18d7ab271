import type { Severity } from "@registry/domain";

interface Rule {
  readonly severity: Severity;
  /** Comes after the name of what was found: why it matters, and what to do. */
  readonly advice: string;
}

const runsPrograms = "it runs other programs; use a library for the task, or declare a tool that the user starts";
const runsText = "it runs text as code; parse the data instead";

/** What each rule of the source scan weighs and advises. */
export const sourceRules = {
  "python-os-system": { severity: "critical", advice: runsPrograms },
  "python-subprocess": { severity: "critical", advice: runsPrograms },
  "python-exec": { severity: "critical", advice: runsText },
  "python-eval": { severity: "critical", advice: `${runsText} (ast.literal_eval, json.loads)` },
  "python-import": { severity: "critical", advice: "it loads modules past the import statement; import by name" },
  "python-source-encoding": {
    severity: "critical",
    advice: "readers see other code than Python runs; save the file as UTF-8 and remove the declaration",
  },
  "python-hidden-call": {
    severity: "high",
    advice: "what it reaches is known only at run time; name the function in the code",
  },
  "python-dynamic-import": {
    severity: "medium",
    advice: "the code it loads cannot be told beforehand; import by name",
  },
  "python-unpickle": { severity: "medium", advice: "such data can run code when it is loaded; use JSON" },
  "python-native-code": { severity: "medium", advice: "it calls native code; use a Python library" },
  "python-compile": { severity: "medium", advice: "it turns text into code; parse the data instead" },
  "js-child-process": { severity: "critical", advice: runsPrograms },
  "js-eval": { severity: "critical", advice: `${runsText} (JSON.parse)` },
  "js-function-constructor": { severity: "critical", advice: `${runsText} (JSON.parse)` },
  "js-dynamic-require": {
    severity: "critical",
    advice: "the code it loads cannot be told beforehand; give the module's name as a constant",
  },
  "js-dynamic-import": {
    severity: "high",
    advice: "the code it loads cannot be told beforehand; give the module's name as a constant",
  },
  "js-hidden-call": {
    severity: "high",
    advice: "what it reaches is known only at run time; name the function in the code",
  },
  "js-vm": { severity: "medium", advice: "it runs text as code; parse the data instead" },
  "js-process-binding": { severity: "medium", advice: "it loads native code; use the public modules" },
  "code-not-scanned": {
    severity: "high",
    advice: "the file is held for a reviewer; simplify it or split it into smaller files",
  },
} as const satisfies Record<string, Rule>;

export type SourceRule = keyof typeof sourceRules;

/** Rank of a severity, the gravest first. */
export const gravity: Readonly<Record<Severity, number>> = { critical: 0, high: 1, medium: 2, low: 3, info: 4 };
