import type { Input, PartialParse, Tree } from "@lezer/common";

interface Syntax {
  startParse(input: Input): PartialParse;
}

const BUDGET = 320_000;
/** What the shortest file takes: opening it, and looking at it in every way. */
const FILE = 60;
/** Looking at so many nodes once takes as much time as one step of the parser. */
const NODES = 6;
/** Steps that take as much time as one of error recovery, and as reading on over one chunk of the text. */
const RECOVERY = 100;
const READING = 100;
const CHUNK = 4096;
/** Three numbers for each symbol: about 400 of them open at once. */
const DEEPEST_STACK = 1200;

/** Steps that are left for the files of one package: what many files cost together is bounded as well. */
export class Effort {
  left = BUDGET;

  /** For walking a file's tree of so many nodes once. */
  walked(nodes: number): void {
    this.left -= nodes / NODES;
  }
}

/**
 * Parses within a bound of steps that depends on nothing but the text; undefined where it is given up. An ordinary
 * file takes one step for three to four characters.
 */
export function parseWithin(syntax: Syntax, text: string, effort: Effort): Tree | undefined {
  const input = new MeteredInput(text);
  const parse = syntax.startParse(input);
  const most = effort.left;
  let steps = FILE;
  const cost = (): number => steps + input.readOn * READING;
  try {
    while (cost() < most) {
      const tree = parse.advance();
      if (tree !== null) return tree;
      const { depth, width, recovering } = effortOf(parse);
      if (depth > DEEPEST_STACK) return undefined;
      steps += (recovering ? RECOVERY : width) * (1 + depth / 400);
    }
    return undefined;
  } finally {
    effort.left -= cost();
  }
}

/**
 * Counts how often reading goes on from one chunk into the next. An ordinary file does it at most once for each chunk; an
 * unclosed word makes the parser read the rest of the text again at every turn.
 */
class MeteredInput implements Input {
  readonly length: number;
  readonly lineChunks = false;
  readOn = 0;
  #next = -1;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    this.length = text.length;
  }

  chunk(from: number): string {
    if (from === this.#next) this.readOn++;
    this.#next = from + CHUNK;
    return this.#text.slice(from, from + CHUNK);
  }

  read(from: number, to: number): string {
    return this.#text.slice(from, to);
  }
}

/** The parser tells nothing about its work, so its state is looked at: ambiguous code keeps several stacks. */
function effortOf(parse: PartialParse): { depth: number; width: number; recovering: boolean } {
  const stacks: unknown = Reflect.get(parse, "stacks");
  const list: unknown[] = Array.isArray(stacks) ? stacks : [];
  let depth = 0;
  for (const entry of list) {
    const stack: unknown = entry instanceof Object ? Reflect.get(entry, "stack") : undefined;
    if (Array.isArray(stack) && stack.length > depth) depth = stack.length;
  }
  return { depth, width: Math.max(1, list.length), recovering: Reflect.get(parse, "recovering") !== 0 };
}
