import type { Tree } from "@lezer/common";
import type { Scope } from "./scopes.ts";
import { nothing, type Values } from "./values.ts";

/** Deeper than people write; far below the depth from where the parser drops structure. */
const DEEPEST = 500;

/** A node of the syntax tree, with what the scan learns about it. */
export interface SourceNode {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly kids: SourceNode[];
  readonly parent: SourceNode | undefined;
  /** Scope in which its names are looked up. */
  readonly scope: Scope;
  /** Scope of the function or class that the node defines. */
  inner: Scope | undefined;
  values: Values;
  /** True where it is assigned to, declared, or only names a parameter or keyword. */
  target: boolean;
}

export interface Nodes {
  /** Children before their parents, otherwise in the order of the text. */
  readonly all: readonly SourceNode[];
  /** Where the parser met what it could not read. */
  readonly errors: readonly SourceNode[];
  /** True where nesting goes deeper than the tree is sure to show; the rest of it is left out. */
  readonly tooDeep: boolean;
}

/** Chooses the scope of a node when it is entered; it may give `parent.inner` a scope. */
export type ScopeRule = (name: string, parent: SourceNode) => Scope;

/** Reads a tree into plain nodes, without recursion. */
export function readNodes(tree: Tree, file: Scope, scopeOf: ScopeRule): Nodes {
  const all: SourceNode[] = [];
  const errors: SourceNode[] = [];
  let tooDeep = false;
  let open: SourceNode | undefined;
  let depth = 0;
  tree.iterate({
    enter({ name, from, to, type }) {
      const scope = open === undefined ? file : scopeOf(name, open);
      const node: SourceNode = {
        name,
        from,
        to,
        kids: [],
        parent: open,
        scope,
        inner: undefined,
        values: nothing,
        target: false,
      };
      open?.kids.push(node);
      if (type.isError) errors.push(node);
      open = node;
      if (++depth <= DEEPEST) return true;
      tooDeep = true;
      return false;
    },
    leave() {
      if (open !== undefined) all.push(open);
      open = open?.parent;
      depth--;
    },
  });
  return { all, errors, tooDeep };
}

/** The siblings of a list, cut at the nodes of that name. */
export function splitAt(nodes: readonly SourceNode[], separator: string): SourceNode[][] {
  const parts: SourceNode[][] = [[]];
  for (const node of nodes) {
    if (node.name === separator) parts.push([]);
    else parts.at(-1)?.push(node);
  }
  return parts;
}
