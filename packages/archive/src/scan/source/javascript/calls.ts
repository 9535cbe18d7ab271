import { type SourceNode, splitAt } from "../nodes.ts";
import { concat, constants, mapped, nothing, pathOf, paths, textOf, union, type Values } from "../values.ts";
import { bindParameters, keyOf, member } from "./bind.ts";
import type { Round } from "./evaluate.ts";
import {
  CALLABLE,
  foreignModuleRule,
  HIDDEN,
  isFunctionConstructor,
  isRequire,
  isWorker,
  moduleNamed,
  moduleRule,
} from "./names.ts";

export function argumentsOf(node: SourceNode): SourceNode[] {
  const list = node.kids.find(({ name }) => name === "ArgList");
  return list === undefined
    ? []
    : splitAt(list.kids.slice(1, -1), ",").flatMap((part) => part.find(({ name }) => name !== "Spread") ?? []);
}

/** The module that loading something gives, reported where it is a dangerous one or cannot be told. */
export function load(node: SourceNode, name: Values, round: Round, untold: "js-dynamic-require" | "js-dynamic-import") {
  const texts = constants(name);
  if (texts === undefined)
    round.found(untold, node.from, untold === "js-dynamic-import" ? "import(...)" : "require(...)");
  return union(
    ...(texts ?? []).map((text) => {
      const path = moduleNamed(text);
      const rule = foreignModuleRule(text) ?? moduleRule(path);
      if (rule !== undefined) round.found(rule, node.from, `module ${text}`);
      return pathOf(path);
    }),
  );
}

export function valueOfCall(node: SourceNode, round: Round): Values {
  const callee = node.kids.find(({ name }) => name !== "new");
  if (callee === undefined) return nothing;
  const given = argumentsOf(node);
  const results: Values[] = [];
  for (const value of callee.values) {
    if (value.kind === "path") results.push(valueOfPath(value.path, node, given, round));
    if (value.kind !== "function") continue;
    const list = value.node.kids.find(({ name }) => name === "ParamList");
    if (list !== undefined)
      bindParameters(
        round.names,
        round.text,
        list,
        given.map(({ values }) => values),
      );
    results.push((value.node.inner?.names.get("return") ?? nothing).filter(({ kind }) => kind !== "unknown"));
  }
  return union(valueOfMethod(callee, given, round), ...results);
}

function valueOfPath(path: string, node: SourceNode, given: readonly SourceNode[], round: Round): Values {
  const [first, second] = given;
  if (isFunctionConstructor(path)) {
    if (!isReturnThis(node, given, round.text)) round.found("js-function-constructor", node.from, "Function(...)");
    return pathOf(CALLABLE);
  }
  if (isRequire(path)) {
    const name = /\.(?:call|apply)$/.test(path) ? second : first;
    return path.endsWith(".bind")
      ? pathOf("require")
      : load(node, name?.values ?? nothing, round, "js-dynamic-require");
  }
  if (isWorker(path) && second !== undefined && runsText(round.text.slice(second.from, second.to)))
    round.found("js-eval", node.from, "Worker of a text");
  switch (path) {
    case "createRequire":
    case "module:module.createRequire":
      return pathOf("require");
    case "process.getBuiltinModule":
      return load(node, first?.values ?? nothing, round, "js-dynamic-require");
    case "setTimeout":
    case "setInterval":
    case "setImmediate":
      if (constants(first?.values ?? nothing) !== undefined) round.found("js-eval", node.from, `${path} of a text`);
      return nothing;
    case "Object.getPrototypeOf":
    case "Reflect.getPrototypeOf":
      return first?.values ?? nothing;
    case "Reflect.get":
      return union(
        ...(constants(second?.values ?? nothing) ?? []).map((key) =>
          member(round.names, first?.values ?? nothing, key),
        ),
      );
    case "Reflect.construct":
    case "Reflect.apply":
      return union(
        ...paths(first?.values ?? nothing).map((inner) => {
          const list = given.at(path === "Reflect.apply" ? 2 : 1);
          const [only] = list?.values ?? [];
          const items = only?.kind === "list" ? only.items.map((values) => ({ ...node, values })) : [];
          return valueOfPath(inner, node, items, round);
        }),
      );
    case HIDDEN:
      round.found("js-hidden-call", node.from, "Call of a global by a computed name");
      return nothing;
    default:
      return nothing;
  }
}

/** Whether the options of a worker say that it gets code instead of a file. */
const runsText = (options: string) =>
  /(?<![\w$])eval["'\]]{0,2}\s{0,9}(?::\s{0,9}(?!\s|false\b)|[,}])/.test(options.slice(0, 2000));

/** `Function("return this")()`, the old way to the global object, runs no text but this one. */
function isReturnThis(node: SourceNode, given: readonly SourceNode[], text: string): boolean {
  const called = node.parent?.name === "CallExpression" && node.parent.kids[0] === node;
  const [only] = given;
  return (
    called && given.length === 1 && only !== undefined && /^(["'])return this;?\1$/.test(text.slice(only.from, only.to))
  );
}

const pureMethods: ReadonlyMap<string, (text: string) => string> = new Map([
  ["toString", (text) => text],
  ["valueOf", (text) => text],
  ["trim", (text) => text.trim()],
  ["toLowerCase", (text) => text.toLowerCase()],
  ["toUpperCase", (text) => text.toUpperCase()],
]);

function valueOfMethod(callee: SourceNode, given: readonly SourceNode[], { text }: Round): Values {
  if (callee.name !== "MemberExpression") return nothing;
  const base = callee.kids[0]?.values ?? nothing;
  const key = constants(keyOf(callee.kids.at(-1)?.name === "]" ? callee.kids.at(-2) : callee.kids.at(-1), text))?.[0];
  const [first] = given;
  if (key === "concat") return given.reduce<Values>((all, { values }) => concat(all, values), base);
  const change = key === undefined ? undefined : pureMethods.get(key);
  if (change !== undefined) return mapped(base, change);
  if (key === "bind" || key === "call" || key === "apply") return nothing;
  const [list] = base;
  if (key !== "join" || list?.kind !== "list") return nothing;
  const separator = first === undefined ? textOf(",") : first.values;
  return list.items.reduce<Values>(
    (all, item, index) => concat(index === 0 ? all : concat(all, separator), item),
    textOf(""),
  );
}
