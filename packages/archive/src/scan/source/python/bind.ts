import { type SourceNode, splitAt } from "../nodes.ts";
import type { Names, Scope } from "../scopes.ts";
import { callables, constants, itemsOf, listOf, nothing, paths, union, unknown, type Values } from "../values.ts";
import { moduleNamed, NAMESPACE } from "./names.ts";
import { moduleValue } from "./reach.ts";
import { nameOf } from "./text.ts";

/** Words of a parameter list that the arguments of a call are matched with. */
const MOST_PARAMETERS = 200;
const containers = new Set(["TupleExpression", "ArrayExpression", "ParenthesizedExpression", "SequencePattern"]);
const punctuation = new Set(["(", ")", "[", "]", "{", "}", ",", "*", "**", ":", "TypeDef", "Comment", "⚠"]);

/** The nodes among these that are expressions. */
export function expressions(nodes: readonly SourceNode[]): SourceNode[] {
  return nodes.filter(({ name }) => !punctuation.has(name));
}

/** Assigns to everything that a target list names, in the scope where it stands or in the given one. */
export function assign(names: Names, text: string, target: readonly SourceNode[], values: Values, scope?: Scope): void {
  const work: { nodes: SourceNode[]; values: Values }[] = [{ nodes: [...target], values }];
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    const { values: given } = item;
    const targets = expressions(item.nodes);
    const [only] = targets;
    const several = targets.length > 1 || item.nodes.some(({ name }) => name === "," || name === "*");
    if (several) {
      targets.forEach((node, index) => {
        work.push({ nodes: [node], values: elementAt(given, index, targets.length) });
      });
    } else if (only !== undefined) {
      if (containers.has(only.name)) {
        only.target = true;
        work.push({ nodes: only.kids, values: given });
      } else assignOne(names, text, only, given, scope ?? only.scope);
    }
  }
}

function elementAt(values: Values, index: number, count: number): Values {
  return union(
    ...values.map((value) => {
      if (value.kind !== "list") return nothing;
      return value.items.length === count ? (value.items[index] ?? nothing) : itemsOf([value]);
    }),
  );
}

function assignOne(names: Names, text: string, node: SourceNode, values: Values, scope: Scope): void {
  node.target = true;
  if (node.name === "VariableName") {
    const name = nameOf(text.slice(node.from, node.to));
    names.bind(scope, name, values);
    if (scope.kind === "class") names.store(name, values);
  }
  if (node.name !== "MemberExpression") return;
  const [base, , key] = node.kids;
  const last = node.kids.at(-1);
  if (last?.name === "PropertyName") names.store(nameOf(text.slice(last.from, last.to)), values);
  else if (base !== undefined && key !== undefined) {
    const texts = constants(key.values) ?? [];
    if (paths(base.values).includes(NAMESPACE)) for (const name of texts) names.bind(names.file, name, values);
    if (base.name === "VariableName" && values.length > 0)
      names.bind(base.scope, nameOf(text.slice(base.from, base.to)), listOf([values]));
  }
}

/** What an import brings in, under the name that it gets. */
export interface Imported {
  readonly node: SourceNode;
  readonly path: string;
  /** The whole module is spread over the file's names. */
  readonly star: boolean;
}

export function bindImport(names: Names, text: string, node: SourceNode): Imported[] {
  for (const kid of node.kids) kid.target = true;
  const word = (kid: SourceNode) => nameOf(text.slice(kid.from, kid.to));
  const at = node.kids.findIndex(({ name }) => name === "import");
  const from = node.kids[0]?.name === "from" ? node.kids.slice(1, at).map(word).join("") : undefined;
  const found: Imported[] = [];
  for (const part of splitAt(node.kids.slice(at + 1), ",")) {
    const [name = [], alias = []] = splitAt(part, "as");
    const parts = name.filter((kid) => kid.name === "VariableName" || kid.name === "*");
    const [first] = parts;
    const called = alias.find((kid) => kid.name === "VariableName");
    if (first === undefined) continue;
    const whole = parts.map(word).join(".");
    if (first.name === "*") {
      found.push({ node: first, path: moduleNamed(from ?? "") ?? from ?? "", star: true });
      continue;
    }
    const path = from === undefined ? whole : memberName(from, whole);
    const bound = called ?? (from === undefined ? first : parts.at(-1)) ?? first;
    const stands = from === undefined && called === undefined ? word(first) : path;
    names.bind(node.scope, word(bound), moduleValue(stands));
    found.push({ node: first, path: paths(moduleValue(path))[0] ?? path, star: false });
  }
  return found;
}

function memberName(module: string, name: string): string {
  return moduleNamed(name) ?? `${moduleNamed(module) ?? module}.${name}`;
}

/** Declares a function's parameters; each gets its default and, by calls, its arguments. */
export function bindParameters(names: Names, text: string, list: SourceNode, inner: Scope): void {
  for (const part of splitAt(list.kids, ",")) {
    const name = part.find((kid) => kid.name === "VariableName");
    if (name === undefined) continue;
    name.target = true;
    const equals = part.findIndex((kid) => kid.name === "AssignOp");
    const given = equals < 0 ? undefined : part[equals + 1];
    // Callers in other files may give anything, whatever the default is.
    names.bind(inner, nameOf(text.slice(name.from, name.to)), union(given?.values ?? nothing, unknown));
  }
}

/** Hands the arguments of a call to the parameters of the function that is called. */
export function bindArguments(names: Names, text: string, called: SourceNode, given: readonly Values[]): void {
  const list = called.kids.find((kid) => kid.name === "ParamList");
  if (list === undefined || called.inner === undefined) return;
  const parameters = splitAt(list.kids.slice(0, MOST_PARAMETERS), ",").flatMap(
    (part) => part.find((kid) => kid.name === "VariableName") ?? [],
  );
  const method = called.scope.kind === "class" ? 1 : 0;
  for (const [index, argument] of given.entries()) {
    const values = callables(argument);
    const parameter = parameters[index + method];
    if (parameter !== undefined && values.length > 0)
      names.bind(called.inner, nameOf(text.slice(parameter.from, parameter.to)), values);
  }
}
