/** What the sandbox's root file system brings. */
export interface Interpreters {
  readonly python: "pytest" | "unittest" | undefined;
  readonly node: "javascript" | "typescript" | undefined;
}

export type RunnerName = "pytest" | "unittest" | "node";

/** One command that runs a part of a package's tests. */
export interface Runner {
  readonly name: RunnerName;
  readonly command: readonly string[];
}

const folder = "tests/";

/** Whether a package brings tests: files in a folder `tests` at its root. */
export function bringsTests(paths: readonly string[]): boolean {
  return paths.some((path) => path.startsWith(folder));
}

export interface Plan {
  readonly runners: readonly Runner[];
  /** Languages whose tests cannot be run here. */
  readonly missing: readonly string[];
}

/** How a package's tests are run. Nothing at all where `tests/` holds neither Python files nor `*.test.{js,mjs,cjs,ts}`. */
export function planFor(paths: readonly string[], interpreters: Interpreters): Plan {
  const tests = paths.filter((path) => path.startsWith(folder));
  const plan = { runners: [] as Runner[], missing: [] as string[] };
  if (tests.some((path) => path.endsWith(".py"))) {
    if (interpreters.python === undefined) plan.missing.push("Python");
    else plan.runners.push(interpreters.python === "pytest" ? pytest : unittest(tests.includes("tests/__init__.py")));
  }
  const scripts = tests.filter((path) => /\.test\.(?:js|mjs|cjs|ts)$/.test(path));
  const runnable = interpreters.node === "typescript" ? scripts : scripts.filter((path) => !path.endsWith(".ts"));
  if (interpreters.node === undefined && scripts.length > 0) plan.missing.push("JavaScript");
  else if (runnable.length < scripts.length) plan.missing.push("TypeScript");
  if (interpreters.node !== undefined && runnable.length > 0) plan.runners.push(node(runnable));
  return plan;
}

const pytest: Runner = {
  name: "pytest",
  command: ["python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
};

/** As modules of a package where the folder is one; else unittest takes the folder only as the top of its search. */
const unittest = (isPackage: boolean): Runner => ({
  name: "unittest",
  command: ["python3", "-m", "unittest", "discover", "-s", "tests", ...(isPackage ? ["-t", "."] : []), "-v"],
});

/** By name, since versions of Node differ in what a folder means; one at a time, for each file takes a process of a dozen threads. */
const node = (files: readonly string[]): Runner => ({
  name: "node",
  command: ["node", "--test", "--test-concurrency=1", ...files],
});
