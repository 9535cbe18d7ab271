import { callables, itemsOf, nothing, union, unknown, type Value, type Values } from "./values.ts";

const MOST_OF_KIND = 4;

/** What a name gets in addition. A text or list that grows at every turn would never come to rest. */
function settling(before: Values, added: Values): Values {
  const count = (kind: Value["kind"]) => before.filter((value) => value.kind === kind).length;
  if (before.some(({ kind }) => kind === "unknown") && callables(added).length === 0) return nothing;
  if (union(before, added).length === before.length) return nothing;
  const [texts, lists] = [count("text") >= MOST_OF_KIND, count("list") >= MOST_OF_KIND];
  return added.flatMap((value) => {
    if (value.kind === "text" && texts) return unknown;
    return value.kind === "list" && lists ? itemsOf([value]).filter(({ kind }) => kind !== "list") : [value];
  });
}

/**
 * `function`: its names hide those outside. `class`: its names are seen in its own body only. `file`: its names are
 * added to the built-in ones and hide none, so that no assignment which never runs can cover a dangerous one up.
 */
export type ScopeKind = "file" | "function" | "class";

export class Scope {
  readonly kind: ScopeKind;
  readonly parent: Scope | undefined;
  /** Where hoisted declarations stop. */
  readonly hoists: boolean;
  readonly names = new Map<string, Values>();
  /** Names that a statement moves to another scope. */
  readonly elsewhere = new Map<string, "global" | "nonlocal">();

  constructor(kind: ScopeKind, parent?: Scope, hoists = kind !== "class") {
    this.kind = kind;
    this.parent = parent;
    this.hoists = hoists;
  }
}

/** The names of one file. */
export class Names {
  readonly file: Scope;
  /** True until every name is declared: nothing is looked up before, since a later declaration may hide it. */
  declaring = true;
  /** True when a name was found to stand for more than before. */
  changed = false;
  readonly #builtin: (name: string) => Values;
  /** What was stored in an attribute or property of that name, of whatever object. */
  readonly #attributes = new Map<string, Values>();

  constructor(file: Scope, builtin: (name: string) => Values) {
    this.file = file;
    this.#builtin = builtin;
  }

  lookup(start: Scope, name: string): Values {
    if (this.declaring) return nothing;
    let found: Values = nothing;
    for (let scope: Scope | undefined = start; scope !== undefined; scope = scope.parent) {
      if (scope.elsewhere.get(name) === "global") scope = this.file;
      const here: Values | undefined = scope.names.get(name);
      if (here === undefined) continue;
      found = union(found, here);
      if (scope.kind === "function") return found;
      // A class body that assigns the name itself looks past the functions around it.
      if (scope === start && scope.kind === "class") return union(found, this.global(name));
    }
    return union(found, this.#builtin(name));
  }

  /** A name as the file or the language defines it. */
  global(name: string): Values {
    return union(this.file.names.get(name) ?? nothing, this.#builtin(name));
  }

  bind(from: Scope, name: string, values: Values): void {
    const scope = this.#home(from, name);
    const before = scope.names.get(name);
    scope.names.set(name, this.#grown(before, values));
  }

  store(attribute: string, values: Values): void {
    const useful = values.filter((value) => value.kind === "path" || value.kind === "function");
    if (useful.length > 0) this.#attributes.set(attribute, this.#grown(this.#attributes.get(attribute), useful));
  }

  attribute(name: string): Values {
    return this.#attributes.get(name) ?? nothing;
  }

  #grown(before: Values | undefined, values: Values): Values {
    if (this.declaring) return nothing;
    const after = union(before ?? nothing, settling(before ?? nothing, values.length === 0 ? unknown : values));
    if (after.length !== before?.length) this.changed = true;
    return after;
  }

  #home(from: Scope, name: string): Scope {
    const moved = from.elsewhere.get(name);
    if (moved === "global") return this.file;
    if (moved === undefined) return from;
    let scope = from.parent;
    while (scope !== undefined && !(scope.kind === "function" && scope.names.has(name))) scope = scope.parent;
    return scope ?? this.file;
  }
}
