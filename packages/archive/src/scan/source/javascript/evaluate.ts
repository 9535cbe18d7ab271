import { type SourceNode, splitAt } from "../nodes.ts";
import type { SourceRule } from "../rules.ts";
import type { Names } from "../scopes.ts";
import {
  concat,
  constants,
  either,
  itemsOf,
  listOf,
  nothing,
  pathOf,
  paths,
  textOf,
  union,
  type Values,
} from "../values.ts";
import { assign, bindParameters, keyOf, member } from "./bind.ts";
import { load, valueOfCall } from "./calls.ts";
import { CALLABLE, CONSTRUCTOR, GLOBAL, HIDDEN } from "./names.ts";
import { literalText } from "./text.ts";

export interface Round {
  readonly text: string;
  readonly names: Names;
  readonly found: (rule: SourceRule, offset: number, what: string) => void;
}

type Rule = (node: SourceNode, round: Round) => Values | undefined;

const last: Rule = ({ kids }) => kids.at(-1)?.values;
const second: Rule = ({ kids }) => kids[1]?.values;
const first: Rule = ({ kids }) => kids[0]?.values;

const define: Rule = (node, { names, text }) => {
  const name = node.kids.find((kid) => kid.name === "VariableDefinition");
  const list = node.kids.find((kid) => kid.name === "ParamList");
  if (list !== undefined) bindParameters(names, text, list);
  const body = node.kids.at(-1);
  if (node.name === "ArrowFunction" && body !== undefined && body.name !== "Block" && node.inner !== undefined)
    names.bind(node.inner, "return", body.values);
  const value: Values = [{ kind: "function", node }];
  if (name !== undefined && node.name !== "FunctionExpression" && node.name !== "ClassExpression")
    // A class is no function that is called with these parameters.
    assign(names, text, name, node.name === "FunctionDeclaration" ? value : nothing, "function");
  return value;
};

const loop: Rule = ({ kids }, { names, text }) => {
  const declared = kids.find(({ name }) => name === "var" || name === "let" || name === "const");
  const of = kids.findIndex(({ name }) => name === "of" || name === "in");
  const target = kids[of - 1];
  if (target !== undefined) assign(names, text, target, itemsOf(kids[of + 1]?.values ?? nothing), declared?.name);
  return undefined;
};

const imports: Rule = (node, round) => {
  const from = node.kids.find(({ name }) => name === "String");
  if (from === undefined || isTypeOnly(node)) return undefined;
  const module = load(node, textOf(literalText(round.text.slice(from.from, from.to))), round, "js-dynamic-import");
  const { names, text } = round;
  for (const kid of node.kids) {
    if (kid.name === "VariableDefinition") names.bind(kid.scope, text.slice(kid.from, kid.to), module);
    if (kid.name !== "ImportGroup") continue;
    for (const part of splitAt(kid.kids, ",")) {
      const [name, alias] = part.filter((word) => /^(?:Variable|String|default)/.test(word.name));
      const bound = alias ?? name;
      if (name === undefined || bound === undefined) continue;
      name.target = true;
      const word =
        name.name === "String" ? literalText(text.slice(name.from, name.to)) : text.slice(name.from, name.to);
      names.bind(bound.scope, text.slice(bound.from, bound.to), member(names, module, word));
    }
  }
  return undefined;
};

/** `import type` and groups of nothing but types vanish before the code runs. */
function isTypeOnly(node: SourceNode): boolean {
  if (node.kids.some(({ name }) => name === "type")) return true;
  const group = node.kids.find(({ name }) => name === "ImportGroup" || name === "ExportGroup");
  const words = node.kids.some(({ name }) => name === "VariableDefinition" || name === "Star");
  if (group === undefined || words || group.kids.length <= 2) return false;
  return splitAt(group.kids.slice(1, -1), ",").every(([head]) => head === undefined || head.name === "type");
}

const literals = new Set(["ArrayExpression", "String", "TemplateString", "RegExp", "Number"]);

const rules: Readonly<Record<string, Rule>> = {
  VariableName: (node, { names, text }) => names.lookup(node.scope, text.slice(node.from, node.to)),
  String: (node, { text }) => textOf(literalText(text.slice(node.from, node.to))),
  TemplateString: (node, { text }) => {
    let all = textOf("");
    let at = node.from + 1;
    for (const kid of node.kids) {
      if (kid.name !== "Interpolation") continue;
      all = concat(concat(all, textOf(literalText(`\`${text.slice(at, kid.from)}\``))), kid.values);
      at = kid.to;
    }
    return concat(all, textOf(literalText(`\`${text.slice(at, node.to - 1)}\``)));
  },
  Interpolation: second,
  ParenthesizedExpression: second,
  SequenceExpression: last,
  AwaitExpression: last,
  PrefixCast: last,
  PostfixExpression: first,
  InstantiationExpression: first,
  ConditionalExpression: ({ kids }) => either(kids[2]?.values, kids.at(-1)?.values),
  BinaryExpression: ({ kids }, { text }) => {
    const [left = nothing, right = nothing] = [kids[0]?.values, kids.at(-1)?.values];
    const operator = kids[1];
    if (operator?.name === "as" || operator?.name === "satisfies") return left;
    if (operator?.name === "LogicOp") return either(left, right);
    return operator?.name === "ArithOp" && text[operator.from] === "+" ? concat(left, right) : nothing;
  },
  ArrayExpression: ({ kids }) =>
    listOf(
      splitAt(kids.slice(1, -1), ",").map((part) => part.find(({ name }) => name !== "Spread")?.values ?? nothing),
    ),
  ObjectExpression: ({ kids }) => listOf(kids.filter(({ name }) => name === "Property").map(({ values }) => values)),
  Property: (node, { names, text }) => {
    const colon = node.kids.findIndex(({ name }) => name === ":");
    const [head] = node.kids;
    if (node.inner !== undefined) return define(node, { names, text, found: () => undefined });
    if (colon >= 0) {
      const value = node.kids[colon + 1]?.values ?? nothing;
      for (const key of constants(keyOf(head, text)) ?? []) names.store(key, value);
      return value;
    }
    return head?.name === "PropertyDefinition" && node.kids.length === 1 && !head.target
      ? names.lookup(node.scope, text.slice(head.from, head.to))
      : head?.values;
  },
  MemberExpression: (node, { names, text }) => {
    const base = node.kids[0]?.values ?? nothing;
    const end = node.kids.at(-1);
    const key = end?.name === "]" ? (node.kids.at(-2)?.values ?? nothing) : keyOf(end, text);
    const builtin = literals.has(node.kids[0]?.name ?? "") ? pathOf(CALLABLE) : nothing;
    const texts = constants(key);
    if (texts === undefined) {
      const hidden = paths(base).includes(GLOBAL) ? pathOf(HIDDEN) : nothing;
      return union(end?.name === "]" ? itemsOf(base) : nothing, hidden, builtin);
    }
    const own = texts.map((name) => propertyOf(names, base, name));
    const plain = texts.includes("constructor") ? nothing : union(builtin, itemsOf(base));
    return union(...own, plain);
  },
  CallExpression: valueOfCall,
  NewExpression: valueOfCall,
  DynamicImport: (node, round) => load(node, node.kids[2]?.values ?? nothing, round, "js-dynamic-import"),
  ImportDeclaration: imports,
  ExportDeclaration: (node, round) =>
    node.kids.some(({ name }) => name === "from") ? imports(node, round) : undefined,
  FunctionDeclaration: define,
  FunctionExpression: define,
  ArrowFunction: define,
  MethodDeclaration: define,
  ClassDeclaration: define,
  ClassExpression: define,
  ForInSpec: loop,
  ForOfSpec: loop,
  CatchClause: ({ kids }, { names, text }) => {
    const target = kids.find(({ name }) => /^(?:VariableDefinition|\w+Pattern)$/.test(name));
    if (target !== undefined) assign(names, text, target, nothing, "catch");
    return undefined;
  },
  VariableDeclaration: (node, { names, text }) => {
    const word = node.kids[0]?.name === "var" ? "var" : "let";
    for (const part of splitAt(node.kids.slice(1), ",")) {
      const [pattern] = part;
      const equals = part.findIndex(({ name }) => name === "Equals");
      const value = equals < 0 ? nothing : (part[equals + 1]?.values ?? nothing);
      if (pattern !== undefined) assign(names, text, pattern, value, word);
    }
    return undefined;
  },
  AssignmentExpression: ({ kids }, { names, text }) => {
    const [target, operator] = kids;
    const given = kids.at(-1)?.values ?? nothing;
    const adds = operator !== undefined && text.slice(operator.from, operator.to) === "+=";
    const value = adds ? concat(target?.values ?? nothing, given) : given;
    if (target !== undefined) assign(names, text, target, value);
    return value;
  },
  PropertyDeclaration: (node, { names, text }) => {
    const equals = node.kids.findIndex(({ name }) => name === "Equals");
    const name = node.kids[equals - 1];
    if (name?.name === "PropertyDefinition")
      names.store(text.slice(name.from, name.to), node.kids[equals + 1]?.values ?? nothing);
    return undefined;
  },
  ReturnStatement: (node, { names }) => {
    let { scope } = node;
    while (!scope.hoists && scope.parent !== undefined) scope = scope.parent;
    const home = scope.kind === "function" ? (scope.parent ?? scope) : scope;
    const given = node.kids[1]?.values ?? nothing;
    if (home.kind === "function") names.bind(home, "return", given);
    return undefined;
  },
};

export function evaluate(node: SourceNode, round: Round): void {
  node.values = rules[node.name]?.(node, round) ?? nothing;
}

/** The constructor of anything is a function, and the constructor of that one builds functions from text. */
function propertyOf(names: Names, base: Values, name: string): Values {
  const found = member(names, base, name);
  return found.length === 0 && name === "constructor" ? pathOf(CONSTRUCTOR) : found;
}
