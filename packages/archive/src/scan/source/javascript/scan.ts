import { parser } from "@lezer/javascript";
import type { Finding } from "../../../inspection.ts";
import { readNodes, type SourceNode } from "../nodes.ts";
import { type Effort, parseWithin } from "../parse.ts";
import { Report } from "../report.ts";
import type { SourceRule } from "../rules.ts";
import { Names, Scope } from "../scopes.ts";
import { paths } from "../values.ts";
import { scopeOf } from "./bind.ts";
import { evaluate } from "./evaluate.ts";
import { globalNamed, isFunctionConstructor, javaScriptRuleOf } from "./names.ts";
import { readableJavaScript } from "./text.ts";

const MOST_ROUNDS = 10;
const script = parser.configure({ dialect: "jsx" });
const typed = parser.configure({ dialect: "ts" });
const typedMarkup = parser.configure({ dialect: "ts jsx" });

/** Dangerous constructs in JavaScript or TypeScript source, at most 20, the gravest first. */
export function scanJavaScript(
  language: "javascript" | "typescript",
  source: string,
  file: string,
  effort: Effort,
): readonly Finding[] {
  const text = readableJavaScript(source);
  const report = new Report(file, text);
  const syntax = language === "javascript" ? script : /\.tsx$/i.test(file) ? typedMarkup : typed;
  const tree = parseWithin(syntax, text, effort);
  if (tree === undefined) {
    report.add("code-not-scanned", 0, "The code could not be read within the limits of the scan");
    findByText(text, report, () => "outside");
    return report.findings();
  }
  const top = new Scope("file");
  const nodes = readNodes(tree, top, scopeOf);
  const settled = findByTree(nodes.all, top, text, report, effort);
  if (nodes.tooDeep || !settled)
    report.add("code-not-scanned", 0, "The code is nested or aliased too deeply to be read");
  hiddenComments(nodes.all, text, report);
  const [error] = nodes.errors;
  if (error !== undefined || nodes.tooDeep) findByText(text, report, placeIn(nodes.all, error?.from ?? text.length));
  return report.findings();
}

function findByTree(nodes: readonly SourceNode[], top: Scope, text: string, report: Report, effort: Effort): boolean {
  const names = new Names(top, globalNamed);
  const found = (rule: SourceRule, offset: number, what: string) => report.add(rule, offset, what);
  for (const node of nodes) evaluate(node, { text, names, found });
  names.declaring = false;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    names.changed = false;
    effort.walked(nodes.length);
    report.clear();
    for (const node of nodes) evaluate(node, { text, names, found });
    if (!names.changed) break;
  }
  for (const node of nodes) {
    if (node.target || node.parent?.name === "TypeofType") continue;
    for (const path of paths(node.values)) {
      const rule = javaScriptRuleOf(path);
      if (rule !== undefined) report.add(rule, node.from, path);
      if (isFunctionConstructor(path) && isSuperclass(node)) {
        report.add("js-function-constructor", node.from, "class extends Function");
      }
    }
  }
  return !names.changed;
}

/** A class below the function constructor builds functions from text like it. */
function isSuperclass(node: SourceNode): boolean {
  const kids = node.parent?.kids ?? [];
  return kids[kids.indexOf(node) - 1]?.name === "extends";
}

/** Comments that begin or end for a runtime where they do not for most readers. */
function hiddenComments(nodes: readonly SourceNode[], text: string, report: Report): void {
  for (const { name, from, to } of nodes) {
    if ((name === "LineComment" || name === "Hashbang") && /[\u2028\u2029]/.test(text.slice(from, to)))
      report.add("code-not-scanned", from, "A comment ends inside its line (U+2028)");
    if (name === "CompareOp" && text.startsWith("<!--", from))
      report.add("code-not-scanned", from, "A comment may begin with <!-- inside the code");
  }
}

type Place = "outside" | "trusted" | "doubtful";

/** Where an offset is: in code, or in a comment or string before or after the first error. */
function placeIn(nodes: readonly SourceNode[], doubtfulFrom: number): (offset: number) => Place {
  const quiet = nodes
    .filter(({ name }) => /Comment$|^(?:String|TemplateString|RegExp|JSXText)$/.test(name))
    .sort((a, b) => a.from - b.from);
  return (offset) => {
    let [low, high] = [0, quiet.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((quiet[middle]?.from ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const around = quiet[low - 1];
    if (around === undefined || around.to <= offset || around.name === "TemplateString") return "outside";
    return around.to <= doubtfulFrom ? "trusted" : "doubtful";
  };
}

const coarse: readonly (readonly [SourceRule, RegExp])[] = [
  ["js-eval", /(?<![\w$.#])eval\s*\(/g],
  [
    "js-child-process",
    /child_process(?=["'`])(?<=["'`:]child_process)(?<!\b(?:import|export)\s{1,9}type\b[^;\n]{0,200}|\btypeof\s{1,9}import\(["'](?:node:)?child_process)/g,
  ],
  ["js-function-constructor", /\bnew\s+Function\b/g],
];

/** Where the parser did not understand everything, the words alone are looked at as well. */
function findByText(text: string, report: Report, placeOf: (offset: number) => Place): void {
  for (const [rule, pattern] of coarse)
    for (const { index, 0: what } of text.matchAll(pattern)) {
      const place = rule === "js-child-process" ? "outside" : placeOf(index);
      if (place === "outside") report.add(rule, index, what);
      // Code that was taken for a string or comment, or an honest one that talks about code: a reviewer can tell.
      if (place === "doubtful") report.add(rule, index, `${what} in a part that could not be read for certain`, "high");
    }
}
