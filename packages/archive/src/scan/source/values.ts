import type { SourceNode } from "./nodes.ts";

/** What an expression may stand for. */
export type Value =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly Values[] }
  | { readonly kind: "function"; readonly node: SourceNode }
  | { readonly kind: "unknown" };

/** All that an expression may stand for as far as the scan can tell; empty where it can tell nothing. */
export type Values = readonly Value[];

export const nothing: Values = [];
export const unknown: Values = [{ kind: "unknown" }];

const MOST_VALUES = 8;
const MOST_ITEMS = 64;
const LONGEST_PATH = 120;
/** Longer constants name no function or module: they stay constants, their text does not matter. */
const LONGEST_TEXT = 200;

export function pathOf(path: string): Values {
  return path.length > LONGEST_PATH ? nothing : [{ kind: "path", path }];
}

export function textOf(text: string): Values {
  return [{ kind: "text", text: text.length > LONGEST_TEXT ? text.slice(0, LONGEST_TEXT + 1) : text }];
}

export function listOf(items: readonly Values[]): Values {
  if (items.length > 0 && items.every((item) => item.length === 0)) return unknown;
  const all = items.length > MOST_ITEMS ? [items.reduce((some, item) => union(some, item), nothing)] : items;
  return [{ kind: "list", items: all }];
}

export function paths(values: Values): string[] {
  return values.flatMap((value) => (value.kind === "path" ? [value.path] : []));
}

/** The texts of a constant; undefined where it may be something else or cannot be told. */
export function constants(values: Values): string[] | undefined {
  const texts = values.flatMap((value) => (value.kind === "text" ? [value.text] : []));
  return texts.length > 0 && texts.length === values.length ? texts : undefined;
}

/** What cannot be told, in words that a union keeps. */
export function orUnknown(values: Values): Values {
  return values.length === 0 ? unknown : values;
}

/** One or the other: a constant only where both are. */
export function either(left: Values = nothing, right: Values = nothing): Values {
  return union(orUnknown(left), orUnknown(right));
}

/** What matters of a value that comes in addition to an unknown one: no constant any more, but maybe a function. */
export function callables(values: Values): Values {
  return values.filter((value) => value.kind === "path" || value.kind === "function" || holdsCallables(value));
}

const holdsCallables = (value: Value) =>
  value.kind === "list" &&
  value.items.some((item) => item.some(({ kind }) => kind === "path" || kind === "function" || kind === "list"));

/** Elements of what may be a list. */
export function itemsOf(values: Values): Values {
  return union(...values.flatMap((value) => (value.kind === "list" ? value.items.map(orUnknown) : [])));
}

/** The constant's texts after a change of each; nothing where it is no constant. */
export function mapped(values: Values, change: (text: string) => string): Values {
  return union(...(constants(values) ?? []).map((text) => textOf(change(text))));
}

/** Both texts one after the other, for every pair of constants; unknown otherwise. */
export function concat(left: Values, right: Values): Values {
  const [a, b] = [constants(left), constants(right)];
  if (a === undefined || b === undefined) return nothing;
  return union(...a.flatMap((x) => b.map((y) => textOf(x + y))));
}

/** Paths come first when there are too many, since they are what is looked for; the rest then counts as unknown. */
export function union(...sets: readonly Values[]): Values {
  let only: Values | undefined;
  let several = false;
  for (const set of sets) {
    if (set.length === 0 || set === only) continue;
    several = only !== undefined;
    only ??= set;
    if (several) break;
  }
  if (!several) return only ?? nothing;
  const known = new Map<unknown, Value>();
  for (const set of sets) for (const value of set) known.set(keyOf(value), value);
  const all = [...known.values()];
  if (all.length <= MOST_VALUES) return all;
  const rank = (value: Value) => (value.kind === "path" ? 0 : value.kind === "unknown" ? 2 : 1);
  return [
    ...all
      .filter(({ kind }) => kind !== "unknown")
      .sort((a, b) => rank(a) - rank(b))
      .slice(0, MOST_VALUES - 1),
    ...unknown,
  ];
}

function keyOf(value: Value): unknown {
  switch (value.kind) {
    case "path":
      return `path:${value.path}`;
    case "text":
      return `text:${value.text}`;
    case "list":
      return `list:${signature(value.items)}`;
    case "function":
      return value.node;
    case "unknown":
      return "unknown";
  }
}

/** Two levels are enough to tell when a list has grown; deeper ones count as equal. */
function signature(items: readonly Values[]): string {
  const short = (value: Value) =>
    value.kind === "path" ? value.path : value.kind === "text" ? JSON.stringify(value.text) : value.kind;
  return items.map((item) => item.map(short).join("|")).join(",");
}
