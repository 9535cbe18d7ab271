import { parser } from "@lezer/python";
import type { Finding } from "../../../inspection.ts";
import { readNodes, type ScopeRule, type SourceNode } from "../nodes.ts";
import { type Effort, parseWithin } from "../parse.ts";
import { Report } from "../report.ts";
import type { SourceRule } from "../rules.ts";
import { Names, Scope } from "../scopes.ts";
import { nothing, pathOf, paths, union } from "../values.ts";
import type { Imported } from "./bind.ts";
import { codeOnly } from "./blank.ts";
import type { Hidden } from "./calls.ts";
import { evaluate } from "./evaluate.ts";
import { builtinNamed, isGuarded, pythonRuleOf } from "./names.ts";
import { nameOf, oddEncoding, readablePython } from "./text.ts";

/** Names settle in two or three rounds; what takes longer was written to. */
const MOST_ROUNDS = 10;

/** Dangerous constructs in Python source, at most 20, the gravest first. */
export function scanPython(source: string, file: string, effort: Effort): readonly Finding[] {
  const text = readablePython(source);
  const report = new Report(file, text);
  findIn(text, report, effort);
  const encoding = oddEncoding(source);
  if (encoding !== undefined) report.add("python-source-encoding", 0, encoding);
  return report.findings();
}

function findIn(text: string, report: Report, effort: Effort): void {
  const tree = parseWithin(parser, text, effort);
  if (tree !== undefined) {
    const top = new Scope("file");
    const nodes = readNodes(tree, top, scopeOf);
    const settled = findByTree(nodes.all, top, text, report, effort);
    if (nodes.tooDeep || !settled)
      report.add("code-not-scanned", 0, "The code is nested or aliased too deeply to be read");
    if (nodes.errors.length > 0 || nodes.tooDeep) findByText(text, report);
  } else {
    report.add("code-not-scanned", 0, "The code could not be read within the limits of the scan");
    findByText(text, report);
  }
}

/** Defaults, decorators and annotations of a function belong to the scope around it, its body to its own. */
const scopeOf: ScopeRule = (name, parent) => {
  const isBody =
    parent.name === "LambdaExpression"
      ? parent.kids.at(-1)?.name === ":"
      : name === "Body" && (parent.name === "FunctionDefinition" || parent.name === "ClassDefinition");
  if (parent.name === "LambdaExpression" || parent.name === "FunctionDefinition")
    parent.inner ??= new Scope("function", parent.scope);
  if (parent.name === "ClassDefinition") parent.inner ??= new Scope("class", parent.scope);
  return isBody ? (parent.inner ?? parent.scope) : parent.scope;
};

function findByTree(nodes: readonly SourceNode[], top: Scope, text: string, report: Report, effort: Effort): boolean {
  const stars = new Set<string>();
  const names = new Names(top, (name) => {
    const spread = [...stars].map((module) => `${module}.${name}`).filter((path) => pythonRuleOf(path) !== undefined);
    const builtin = builtinNamed(name);
    return union(builtin === undefined ? nothing : pathOf(builtin), ...spread.map(pathOf));
  });
  const imported = ({ node, path, star }: Imported) => {
    if (star) stars.add(path);
    if (star && isGuarded(path) && path !== "builtins")
      report.add("python-hidden-call", node.from, `from ${path} import *`);
    const rule = pythonRuleOf(path);
    if (rule !== undefined) report.add(rule, node.from, `import of ${path}`);
  };
  const hidden = ({ offset, module, rule }: Hidden) =>
    rule !== undefined
      ? report.add(rule, offset, module)
      : report.add("python-hidden-call", offset, `Access to ${module} by a computed name`);
  for (const node of nodes) evaluate(node, { text, names, hidden, imported });
  names.declaring = false;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    names.changed = false;
    effort.walked(nodes.length);
    report.clear();
    for (const node of nodes) evaluate(node, { text, names, hidden, imported });
    if (!names.changed) break;
  }
  for (const node of nodes) judge(node, report);
  return !names.changed;
}

function judge(node: SourceNode, report: Report): void {
  if (node.target || node.values.length === 0) return;
  for (const path of paths(node.values)) {
    const rule = pythonRuleOf(path);
    if (rule === undefined || (rule === "python-native-code" && node.name !== "CallExpression")) continue;
    if (path === "subprocess.Popen" && isAnnotation(node)) continue;
    report.add(rule, node.from, path.replace(/^builtins\./, ""));
  }
}

/** A type that is only named, not called. */
function isAnnotation(node: SourceNode): boolean {
  for (let around = node.parent; around !== undefined; around = around.parent) {
    if (around.name === "TypeDef") return true;
    if (around.name !== "MemberExpression" && around.name !== "BinaryExpression") return false;
  }
  return false;
}

const coarse: readonly (readonly [SourceRule, RegExp])[] = [
  ["python-os-system", /\b(?:os|posix)\s*\.\s*(?:system|popen|startfile|exec[lv]\w*|spawn[lv]\w*|posix_spawnp?)\b/g],
  ["python-os-system", /\bpty\s*\.\s*spawn\b/g],
  ["python-subprocess", /\bsubprocess\s*\.\s*(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput)\b/g],
  ["python-exec", /(?<![\w.]|\bdef\s{1,9})exec\s*\(/g],
  ["python-eval", /(?<![\w.]|\bdef\s{1,9})eval\s*\(/g],
  ["python-import", /(?<!\w)__import__\b/g],
];

/** Where the parser did not understand everything, the words alone are looked at as well. */
function findByText(text: string, report: Report): void {
  let offset = 0;
  for (const line of codeOnly(text).split("\n")) {
    for (const [rule, pattern] of coarse)
      for (const found of nameOf(line).matchAll(pattern)) report.add(rule, offset, found[0].replace(/\s+/g, ""));
    offset += line.length + 1;
  }
}
