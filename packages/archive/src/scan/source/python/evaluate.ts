import { type SourceNode, splitAt } from "../nodes.ts";
import type { Names } from "../scopes.ts";
import { concat, either, itemsOf, listOf, nothing, textOf, union, type Values } from "../values.ts";
import { assign, bindImport, bindParameters, expressions, type Imported } from "./bind.ts";
import { type Hidden, valueOfCall } from "./calls.ts";
import { lookup, reach } from "./reach.ts";
import { literalText, nameOf } from "./text.ts";

/** What one round over a file works with and tells. */
export interface Round {
  readonly text: string;
  readonly names: Names;
  readonly hidden: (found: Hidden) => void;
  readonly imported: (found: Imported) => void;
}

type Rule = (node: SourceNode, round: Round) => Values | undefined;

const between = (node: SourceNode, from: string, to: string): SourceNode[][] => {
  const found: SourceNode[][] = [];
  let open: SourceNode[] | undefined;
  for (const kid of node.kids) {
    if (kid.name === from) open = [];
    else if (kid.name === to && open !== undefined) {
      found.push(open);
      open = undefined;
    } else open?.push(kid);
  }
  return found;
};

const onlyValue: Rule = (node) => union(...expressions(node.kids).map(({ values }) => values));
const list: Rule = (node) => listOf(expressions(node.kids).map(({ values }) => values));

const loop: Rule = (node, { names, text }) => {
  const targets = between(node, "for", "in");
  const sources = splitAt(node.kids, "in").slice(1);
  for (const [index, target] of targets.entries()) {
    const [iterated] = expressions(sources[index] ?? []);
    // The names of a comprehension end with it: they must not hide any in the function around it.
    const scope = node.name === "ForStatement" ? undefined : names.file;
    assign(names, text, target, itemsOf(iterated?.values ?? nothing), scope);
  }
  return node.name === "ForStatement" ? undefined : listOf([node.kids[1]?.values ?? nothing]);
};

const captures: Rule = (node, { names, text }) => {
  for (const [index, kid] of node.kids.entries())
    if (kid.name === "as") assign(names, text, node.kids.slice(index + 1, index + 2), nothing);
  return undefined;
};

const opened: Rule = (node, { names, text }) => {
  for (const [index, kid] of node.kids.entries())
    if (kid.name === "as")
      assign(names, text, node.kids.slice(index + 1, index + 2), node.kids[index - 1]?.values ?? nothing);
  return undefined;
};

/** `case name:` gives the subject another name. */
const matched: Rule = (node, { names, text }) => {
  const [subject] = expressions(node.kids.slice(1));
  const body = node.kids.find(({ name }) => name === "MatchBody");
  for (const clause of body?.kids ?? [])
    for (const kid of clause.kids)
      if (kid.name === "CapturePattern") assign(names, text, kid.kids, subject?.values ?? nothing);
  return undefined;
};

const define: Rule = (node, { names, text }) => {
  const name = node.kids.find((kid) => kid.name === "VariableName");
  const list = node.kids.find((kid) => kid.name === "ParamList");
  if (list !== undefined && node.inner !== undefined) bindParameters(names, text, list, node.inner);
  const value: Values = list === undefined ? nothing : [{ kind: "function", node }];
  if (name !== undefined) assign(names, text, [name], value);
  return undefined;
};

const give: Rule = (node, { names }) => {
  let scope = node.scope;
  while (scope.kind === "class" && scope.parent !== undefined) scope = scope.parent;
  const [given] = expressions(node.kids.slice(1));
  if (scope.kind === "function" && given !== undefined) names.bind(scope, "return", given.values);
  return undefined;
};

const rules: Readonly<Record<string, Rule>> = {
  VariableName: (node, { names, text }) => lookup(names, node.scope, text.slice(node.from, node.to)),
  String: (node, { text }) => {
    const literal = literalText(text.slice(node.from, node.to));
    return literal === undefined ? nothing : textOf(literal);
  },
  ContinuedString: (node) => node.kids.reduce<Values>((all, kid) => concat(all, kid.values), textOf("")),
  FormatString: (node, { text }) => {
    if (node.kids.some(({ name }) => name === "FormatReplacement")) return formatted(node, text);
    return textOf(literalText(text.slice(node.from, node.to)) ?? "\0");
  },
  FormatReplacement: (node) =>
    node.kids.some(({ name }) => name === "FormatSpec") ? nothing : (node.kids[1]?.values ?? nothing),
  ParenthesizedExpression: onlyValue,
  AwaitExpression: (node) => node.kids.at(-1)?.values,
  ConditionalExpression: (node) => either(node.kids[0]?.values, node.kids.at(-1)?.values),
  BinaryExpression: ({ kids }, { text }) => {
    const [left = nothing, right = nothing] = [kids[0]?.values, kids.at(-1)?.values];
    const operator = kids[1];
    if (operator?.name === "or" || operator?.name === "and") return either(left, right);
    return operator?.name === "ArithOp" && text[operator.from] === "+" ? concat(left, right) : nothing;
  },
  NamedExpression: (node, { names, text }) => {
    const value = node.kids.at(-1)?.values ?? nothing;
    assign(names, text, node.kids.slice(0, 1), value);
    return value;
  },
  ArrayExpression: list,
  TupleExpression: list,
  SetExpression: list,
  DictionaryExpression: list,
  MemberExpression: (node, round) => valueOfMember(node, round),
  CallExpression: (node, round) => valueOfCall(node, round.names, round.text, round.hidden),
  LambdaExpression: (node, { names, text }) => {
    const list = node.kids.find((kid) => kid.name === "ParamList");
    if (node.inner === undefined) return nothing;
    if (list !== undefined) bindParameters(names, text, list, node.inner);
    names.bind(node.inner, "return", node.kids.at(-1)?.values ?? nothing);
    return [{ kind: "function", node }];
  },
  ArrayComprehensionExpression: loop,
  ComprehensionExpression: loop,
  SetComprehensionExpression: loop,
  DictionaryComprehensionExpression: loop,
  ForStatement: loop,
  AssignStatement: (node, { names, text }) => {
    const groups = splitAt(node.kids, "AssignOp");
    const given = groups.length > 1 ? expressions(groups.pop() ?? []) : [];
    const value = given.length === 1 ? (given[0]?.values ?? nothing) : listOf(given.map(({ values }) => values));
    for (const group of groups) assign(names, text, group, value);
    return undefined;
  },
  UpdateStatement: ({ kids }, { names, text }) => {
    const value = concat(kids[0]?.values ?? nothing, kids.at(-1)?.values ?? nothing);
    assign(names, text, kids.slice(0, 1), value);
    return undefined;
  },
  ImportStatement: (node, { names, text, imported }) => {
    for (const found of bindImport(names, text, node)) imported(found);
    return undefined;
  },
  MatchStatement: matched,
  WithStatement: opened,
  TryStatement: captures,
  AsPattern: captures,
  CapturePattern: (node, { names, text }) => {
    assign(names, text, node.kids, nothing);
    return undefined;
  },
  FunctionDefinition: define,
  ClassDefinition: define,
  ReturnStatement: give,
  YieldStatement: give,
  ScopeStatement: (node, { text }) => {
    const kind = node.kids[0]?.name === "nonlocal" ? "nonlocal" : "global";
    for (const kid of node.kids) {
      kid.target = true;
      node.scope.elsewhere.set(nameOf(text.slice(kid.from, kid.to)), kind);
    }
    return undefined;
  },
  ArgList: (node) => {
    for (const [index, kid] of node.kids.entries()) if (node.kids[index + 1]?.name === "AssignOp") kid.target = true;
    return undefined;
  },
  Decorator: (node, round) => decorated(node, round),
};

export function evaluate(node: SourceNode, round: Round): void {
  node.values = rules[node.name]?.(node, round) ?? nothing;
}

function formatted(node: SourceNode, text: string): Values {
  const [, prefix = "", quote = ""] = /^([a-z]*)("""|'''|"|')/i.exec(text.slice(node.from, node.from + 6)) ?? [];
  let all = textOf("");
  let at = node.from + prefix.length + quote.length;
  for (const kid of node.kids) {
    if (kid.name !== "FormatReplacement") continue;
    all = concat(concat(all, textOf(text.slice(at, kid.from))), kid.values);
    at = kid.to;
  }
  return concat(all, textOf(text.slice(at, node.to - quote.length)));
}

function valueOfMember({ kids, from, target }: SourceNode, { names, text, hidden }: Round): Values {
  const base = kids[0]?.values ?? nothing;
  const last = kids.at(-1);
  if (last?.name === "PropertyName") return reach(names, base, textOf(nameOf(text.slice(last.from, last.to)))).values;
  const [, , ...rest] = kids;
  const key = rest.length === 2 ? (rest[0]?.values ?? nothing) : nothing;
  const { values, guarded } = reach(names, base, key);
  const isSlice = rest.some(({ name }) => name === ":");
  if (guarded !== undefined && !isSlice && !target) hidden({ offset: from, module: guarded });
  return values;
}

/** A decorator's dotted name is no expression in the tree. */
function decorated(node: SourceNode, { names, text }: Round): Values {
  const parts = node.kids.filter(({ name }) => name === "VariableName");
  const [first, ...rest] = parts;
  let value = first?.values ?? nothing;
  for (const part of rest) {
    part.target = true;
    value = reach(names, value, textOf(nameOf(text.slice(part.from, part.to)))).values;
  }
  return rest.length > 0 ? value : nothing;
}
