import { type SourceNode, splitAt } from "../nodes.ts";
import { type Names, Scope } from "../scopes.ts";
import { callables, constants, itemsOf, nothing, paths, textOf, union, unknown, type Values } from "../values.ts";
import { CALLABLE, GLOBAL, memberOfPath } from "./names.ts";
import { literalText } from "./text.ts";

/** Words of a parameter list that the arguments of a call are matched with. */
const MOST_PARAMETERS = 200;
const blocks = new Set(["Block", "ForStatement", "SwitchBody", "CatchClause", "StaticBlock"]);

/** Blocks hide names as functions do; the file itself hides none. */
export function scopeOf(name: string, parent: SourceNode): Scope {
  const around = parent.inner ?? parent.scope;
  if (blocks.has(parent.name)) {
    parent.inner ??= blockScope(parent);
    return parent.inner;
  }
  if (name === "ParamList" && parent.inner === undefined) parent.inner = new Scope("function", parent.scope);
  return parent.inner ?? around;
}

function blockScope(node: SourceNode): Scope {
  const body = node.parent?.inner !== undefined && node.parent.inner === node.scope && !blocks.has(node.parent.name);
  return new Scope("function", node.scope, body || node.parent?.name === "StaticBlock");
}

/** Scope of `var`: the function's body. */
function hoisted(scope: Scope): Scope {
  let home = scope;
  while (!home.hoists && home.parent !== undefined) home = home.parent;
  return home;
}

export function keyOf(node: SourceNode | undefined, text: string): Values {
  if (node === undefined) return nothing;
  const word = text.slice(node.from, node.to);
  if (node.name === "String") return textOf(literalText(word));
  return node.name.startsWith("Property") ? textOf(word) : node.values;
}

export function member(names: Names, base: Values, name: string): Values {
  const callable = base.some(({ kind }) => kind === "function") ? memberOfPath(CALLABLE, name) : nothing;
  return union(names.attribute(name), callable, ...paths(base).map((path) => memberOfPath(path, name)));
}

/** Gives values to all that a pattern declares or assigns to. `declared` is the word before it, if any. */
export function assign(names: Names, text: string, pattern: SourceNode, given: Values, declared?: string): void {
  const work = [{ node: pattern, values: given }];
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    const { node, values } = item;
    node.target = true;
    if (node.name === "VariableDefinition" || node.name === "VariableName") {
      const scope = declared === "var" ? hoisted(node.scope) : declared === undefined ? homeOf(node, text) : node.scope;
      names.bind(scope, text.slice(node.from, node.to), values);
    } else if (node.name === "MemberExpression") {
      const key = constants(keyOf(node.kids[2], text)) ?? [];
      for (const name of key) {
        names.store(name, values);
        if (paths(node.kids[0]?.values ?? nothing).includes(GLOBAL)) names.bind(names.file, name, values);
      }
    } else if (node.name === "ParenthesizedExpression") {
      const [, inner] = node.kids;
      if (inner !== undefined) work.push({ node: inner, values });
    } else if (node.name.startsWith("Array")) {
      for (const [index, part] of splitAt(node.kids.slice(1, -1), ",").entries()) {
        const [first] = part.filter(({ name }) => name !== "Spread");
        if (first !== undefined) work.push({ node: first, values: union(elementAt(values, index), valueAfter(part)) });
      }
    } else if (node.name.startsWith("Object")) {
      for (const part of node.kids) work.push(...property(names, text, part, values));
    }
  }
}

/** The scope in which an assigned name is declared; the file's where none is. */
function homeOf(node: SourceNode, text: string): Scope {
  const name = text.slice(node.from, node.to);
  let scope: Scope = node.scope;
  while (scope.parent !== undefined && !scope.names.has(name)) scope = scope.parent;
  return scope;
}

function valueAfter(part: readonly SourceNode[]): Values {
  const equals = part.findIndex(({ name }) => name === "Equals");
  return equals < 0 ? nothing : (part[equals + 1]?.values ?? nothing);
}

function elementAt(values: Values, index: number): Values {
  return union(...values.map((value) => (value.kind === "list" ? (value.items[index] ?? itemsOf([value])) : nothing)));
}

function property(
  names: Names,
  text: string,
  part: SourceNode,
  values: Values,
): { node: SourceNode; values: Values }[] {
  if (!part.name.endsWith("Property")) return [];
  const { kids } = part;
  const [first] = kids;
  const colon = kids.findIndex(({ name }) => name === ":");
  const target = colon < 0 ? kids.find(({ name }) => /^(?:Variable|Property)Definition$/.test(name)) : kids[colon + 1];
  if (first === undefined || target === undefined) return [];
  const rest = first.name === "Spread";
  const key = first.name === "[" ? (kids[1]?.values ?? nothing) : keyOf(first, text);
  const own = first.name === "VariableDefinition" ? textOf(text.slice(first.from, first.to)) : key;
  const found = rest ? values : union(...(constants(own) ?? []).map((name) => member(names, values, name)));
  return [{ node: target, values: union(found, itemsOf(values), valueAfter(kids)) }];
}

/** Declares the parameters of a function; each gets its default and, by calls, its arguments. */
export function bindParameters(names: Names, text: string, list: SourceNode, given?: readonly Values[]): void {
  const parts = splitAt(given === undefined ? list.kids : list.kids.slice(0, MOST_PARAMETERS), ",").map((part) =>
    part.filter(({ name }) => !["(", ")", "Spread", "Privacy", "readonly", "Decorator"].includes(name)),
  );
  for (const [index, part] of parts.entries()) {
    const [pattern] = part;
    const values = union(callables(given?.[index] ?? nothing), unknown);
    if (pattern !== undefined) assign(names, text, pattern, union(valueAfter(part), values), "parameter");
  }
}
