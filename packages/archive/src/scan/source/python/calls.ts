import { type SourceNode, splitAt } from "../nodes.ts";
import type { SourceRule } from "../rules.ts";
import type { Names } from "../scopes.ts";
import { concat, constants, mapped, nothing, pathOf, paths, textOf, union, unknown, type Values } from "../values.ts";
import { bindArguments, expressions } from "./bind.ts";
import { HIDDEN, isGuarded, NAMESPACE, pythonRuleOf, runsGivenText, runsText } from "./names.ts";
import { moduleValue, reach } from "./reach.ts";
import { nameOf } from "./text.ts";

/** Something known only at run time: what is reached in a module (the rule's default), imported, or run as code. */
export interface Hidden {
  readonly offset: number;
  readonly module: string;
  readonly rule?: SourceRule;
}

type Report = (found: Hidden) => void;

/** Ways to ask an object for an attribute or key. */
const getters = new Set(["get", "pop", "setdefault", "__getitem__", "__getattribute__", "__getattr__"]);
/** What methods without arguments make of a constant. `decode` and `encode` may name the encoding. */
const pureMethods: ReadonlyMap<string, (text: string) => string> = new Map([
  ...["decode", "encode", "__str__", "format"].map((name) => [name, (text: string) => text] as const),
  ["strip", (text) => text.trim()],
  ["lstrip", (text) => text.trimStart()],
  ["rstrip", (text) => text.trimEnd()],
  ["lower", (text) => text.toLowerCase()],
  ["casefold", (text) => text.toLowerCase()],
  ["upper", (text) => text.toUpperCase()],
]);

interface Call {
  readonly node: SourceNode;
  readonly names: Names;
  readonly callee: SourceNode;
  readonly given: readonly Values[];
  readonly hidden: Report;
}

export function valueOfCall(node: SourceNode, names: Names, text: string, hidden: Report): Values {
  const [callee, list] = node.kids;
  if (callee === undefined || list?.name !== "ArgList") return nothing;
  const given: Values[] = [];
  for (const part of splitAt(list.kids, ",")) {
    const [first, second] = part.filter(({ name }) => name !== "(" && name !== ")");
    const values = expressions(part).at(-1)?.values ?? nothing;
    if (second?.name === "AssignOp" && first !== undefined)
      names.store(nameOf(text.slice(first.from, first.to)), values);
    given.push(values);
  }
  const call: Call = { node, names, callee, given, hidden };
  const results = paths(callee.values).map((path) => valueOfPath(path, call));
  for (const value of callee.values) {
    if (value.kind !== "function") continue;
    bindArguments(names, text, value.node, given);
    results.push((value.node.inner?.names.get("return") ?? nothing).filter(({ kind }) => kind !== "unknown"));
  }
  return union(valueOfMethod(call, text), ...results);
}

function valueOfPath(path: string, { node, names, given, hidden }: Call): Values {
  const [first = nothing, second = nothing] = given;
  switch (path) {
    case "builtins.getattr":
      return reached(names, first, second, node, hidden);
    case "functools.reduce":
      if (paths(first).includes("builtins.getattr")) {
        const guarded = paths(given[2] ?? nothing).find(isGuarded);
        if (guarded !== undefined) hidden({ offset: node.from, module: guarded });
      }
      return nothing;
    case "contextlib.nullcontext":
      return first;
    case "builtins.globals":
    case "builtins.locals":
      return pathOf(NAMESPACE);
    case "builtins.vars":
      return first.length === 0 ? pathOf(NAMESPACE) : first;
    case "builtins.dict":
    case "builtins.list":
    case "builtins.tuple":
    case "importlib.reload":
      return first;
    case "builtins.__import__":
    case "importlib.__import__":
      return union(...(constants(first)?.map((name) => moduleValue(name.split(".")[0] ?? "")) ?? [pathOf("*")]));
    case "importlib.import_module":
      if (constants(first) === undefined) hidden({ offset: node.from, module: path, rule: "python-dynamic-import" });
      return union(...(constants(first)?.map(moduleValue) ?? [pathOf("*")]));
    case "operator.attrgetter":
    case "operator.methodcaller":
      return union(...(constants(first) ?? []).flatMap((name) => dangerousAnywhere(name.split(".").at(-1) ?? "")));
    case HIDDEN:
      hidden({ offset: node.from, module: "a namespace" });
      return nothing;
    default:
      if (runsText.test(path) || (runsGivenText.test(path) && constants(first) !== undefined))
        hidden({ offset: node.from, module: path, rule: "python-exec" });
      return nothing;
  }
}

function dangerousAnywhere(name: string): Values[] {
  return pythonRuleOf(`*.${name}`) === undefined ? [] : [pathOf(`*.${name}`)];
}

function reached(names: Names, base: Values, key: Values, node: SourceNode, hidden: Report): Values {
  const { values, guarded } = reach(names, base, key);
  if (guarded !== undefined) hidden({ offset: node.from, module: guarded });
  return values;
}

function valueOfMethod({ callee, names, given, node, hidden }: Call, text: string): Values {
  const last = callee.kids.at(-1);
  if (callee.name !== "MemberExpression" || last?.name !== "PropertyName") return nothing;
  const method = nameOf(text.slice(last.from, last.to));
  const base = callee.kids[0]?.values ?? nothing;
  const [first = nothing, second = nothing] = given;
  if (method === "load_module") return union(...(constants(first) ?? []).map(moduleValue));
  if (method === "__getattribute__" && given.length === 2) return reached(names, first, second, node, hidden);
  if (getters.has(method)) return reached(names, base, first, node, hidden);
  if (constants(base) === undefined) return nothing;
  if (method === "join") return joined(base, first);
  const change = pureMethods.get(method);
  const isPlain = method === "decode" || method === "encode" || given.every((values) => values.length === 0);
  return change !== undefined && isPlain ? mapped(base, change) : nothing;
}

function joined(separator: Values, parts: Values): Values {
  const [only] = parts;
  if (parts.length !== 1 || only?.kind !== "list") return nothing;
  let all = textOf("");
  for (const [index, item] of only.items.entries()) {
    if (constants(item) === undefined) return unknown;
    all = concat(index === 0 ? all : concat(all, separator), item);
  }
  return all;
}
