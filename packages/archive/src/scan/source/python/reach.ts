import type { Names, Scope } from "../scopes.ts";
import { constants, itemsOf, nothing, pathOf, paths, union, type Values } from "../values.ts";
import { HIDDEN, isGuarded, moduleNamed, NAMESPACE, namespaceAttributes, programMethods } from "./names.ts";
import { nameOf } from "./text.ts";

const MOST_PARTS = 4;
/** What a method belongs to: for a built-in function, the module of all of them. */
const OWNER = "<owner>";

/** What attribute or key `name` of something is. */
export function member(names: Names, base: Values, name: string): Values {
  const module = moduleNamed(name);
  if (module !== undefined) return pathOf(module);
  if (programMethods.has(name)) return pathOf(`*.${name}`);
  if (namespaceAttributes.has(name)) return pathOf(NAMESPACE);
  if (name === "__self__") return pathOf(OWNER);
  const own = paths(base).map((path) => memberOfPath(names, path, name));
  return union(names.attribute(name), ...own);
}

function memberOfPath(names: Names, path: string, name: string): Values {
  if (name === "__dict__") return pathOf(path);
  if (path === OWNER) return pathOf(`builtins.${name}`);
  if (path === NAMESPACE) return names.global(name);
  if (path === HIDDEN) return pathOf(`*.${name}`);
  const whole = `${path}.${name}`;
  return path.split(".").length >= MOST_PARTS ? nothing : pathOf(whole);
}

/** What a key of something is: `base[key]`, `base.get(key)`, `getattr(base, key)`. */
export interface Reached {
  readonly values: Values;
  /** Name of the module that is reached into by a name known only at run time. */
  readonly guarded?: string;
}

export function reach(names: Names, base: Values, key: Values): Reached {
  const texts = constants(key);
  const inside = itemsOf(base);
  // A dictionary may have been filled from a module.
  const spread = inside.filter((value) => value.kind === "path" && isGuarded(value.path));
  if (texts !== undefined) {
    const found = texts.map((text) => {
      const fromModules = paths(base).includes("sys.modules") ? moduleValue(text) : nothing;
      return union(member(names, union(base, spread), nameOf(text)), fromModules);
    });
    return { values: union(inside, ...found) };
  }
  const guarded = paths(base).find(isGuarded);
  const space = paths(base).includes(NAMESPACE) || paths(base).includes(HIDDEN) ? pathOf(HIDDEN) : nothing;
  const someModule = paths(base).includes("sys.modules") ? pathOf("*") : nothing;
  return { values: union(inside, space, someModule), ...(guarded === undefined ? {} : { guarded }) };
}

/** The module of that full name. */
export function moduleValue(name: string): Values {
  const clean = nameOf(name);
  return pathOf(moduleNamed(clean) ?? clean);
}

/** What `name` is in the scope, with namespaces among the built-in functions. */
export function lookup(names: Names, scope: Scope, name: string): Values {
  return names.lookup(scope, nameOf(name));
}
