import { quote } from "@registry/domain";
import { CST, isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument, Scalar } from "yaml";
import { refused } from "../refuse.ts";
import { forbiddenKeys, LONGEST_NESTING, MOST_NODES, Plain, type Value } from "./value.ts";

/**
 * Reads one YAML document strictly: no aliases, anchors, directives, merge keys or tags but `!!str`; every warning of
 * the parser is an error. `text` is at most a manifest long (the caller's cap). `path` names the file in errors.
 * Throws RegistryError `rejected` INVALID_YAML.
 */
export function parseYaml(text: string, path: string): Value {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  checkCharacters(source, path);
  checkYamlTokens(source, path, "refused");
  const lines = new LineCounter();
  // At the level "silent" the parser would leave out the error for a second document.
  const document = parseDocument(source, {
    schema: "failsafe",
    version: "1.2",
    merge: false,
    resolveKnownTags: false,
    strict: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "error",
    lineCounter: lines,
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const why = hints.get(problem.code) ?? problem.code.toLowerCase().replaceAll("_", " ");
    throw invalid(path, `is not valid YAML (${why})`, lines.linePos(problem.pos[0]).line);
  }
  const budget = { nodes: 0 };
  return new Walker(path, lines, budget).read(document.contents, 0);
}

/** What YAML allows as it stands; everything else has to be written as an escape, and other parsers refuse it. */
const unprintable = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

function checkCharacters(source: string, path: string): void {
  const found = unprintable.exec(source);
  if (found === null) return;
  const line = source.slice(0, found.index).split("\n").length;
  throw invalid(path, `has the character ${quote(found[0])}, which YAML does not allow as it stands`, line);
}

/** The slips that authors make most. */
const hints: ReadonlyMap<string, string> = new Map([
  ["BLOCK_AS_IMPLICIT_KEY", 'put a text with ": " in it in quotes'],
  ["BAD_SCALAR_START", "put a text that begins with @, % or ` in quotes"],
  ["MISSING_CHAR", "a colon, a closing quote or a bracket is missing"],
  ["UNEXPECTED_TOKEN", "something follows the end of a value; put the whole text in quotes"],
  ["MULTILINE_IMPLICIT_KEY", "a line is no key with a value; indent it, or put the text in quotes"],
]);

function invalid(path: string, what: string, line?: number): Error {
  return refused("INVALID_YAML", `${path}${line === undefined ? "" : `, line ${line},`} ${what}`, path);
}

const openers = new Set(["flow-seq-start", "flow-map-start"]);
const closers = new Set(["flow-seq-end", "flow-map-end"]);
const scalars = new Set(["scalar", "single-quoted-scalar", "double-quoted-scalar", "block-scalar-header"]);
const marksOf = new Set(["tag", "anchor", "alias", "doc-start", "doc-end"]);
const MOST_MARKS = 500;
const indicators = new Set(["seq-item-ind", "explicit-key-ind", "map-value-ind"]);

/**
 * Looks at the tokens alone, which needs no recursion: the parser then only meets text that cannot exhaust it.
 * `references` says what becomes of anchors, aliases and tags; a caller that passes them over must not resolve them.
 */
export function checkYamlTokens(source: string, path: string, references: "refused" | "passed over"): void {
  let line = 1;
  let depth = 0;
  let onLine = 0;
  let nodes = 0;
  let marks = 0;
  for (const token of new Lexer().lex(source)) {
    const type = CST.tokenType(token) ?? "";
    if (scalars.has(type) || openers.has(type)) nodes++;
    if (indicators.has(type) || type === "comma") nodes += 0.5;
    if (nodes > MOST_NODES) throw invalid(path, `has more than ${MOST_NODES} values`);
    if (marksOf.has(type) && ++marks > MOST_MARKS) throw invalid(path, "has too many tags, anchors or documents");
    const refuse = references === "refused";
    if (refuse && (type === "alias" || type === "anchor"))
      throw invalid(
        path,
        "uses an anchor or alias, which is not allowed; put a text that begins with & or * in quotes",
        line,
      );
    if (refuse && type === "tag" && token !== "!!str")
      throw invalid(path, `uses the tag ${quote(token)}; remove it`, line);
    if (type === "directive-line") throw invalid(path, "uses a directive (%…), which is not allowed", line);
    if (openers.has(type)) depth++;
    if (closers.has(type)) depth = Math.max(0, depth - 1);
    onLine = type === "newline" ? 0 : onLine + (indicators.has(type) && depth === 0 ? 1 : 0);
    if (depth > LONGEST_NESTING || onLine > LONGEST_NESTING) throw tooDeep(path, line);
    for (let at = token.indexOf("\n"); at !== -1; at = token.indexOf("\n", at + 1)) line++;
  }
}

function tooDeep(path: string, line?: number): Error {
  return invalid(path, `nests deeper than ${LONGEST_NESTING} levels`, line);
}

class Walker {
  readonly #path: string;
  readonly #lines: LineCounter;
  readonly #budget: { nodes: number };

  constructor(path: string, lines: LineCounter, budget: { nodes: number }) {
    this.#path = path;
    this.#lines = lines;
    this.#budget = budget;
  }

  read(node: unknown, depth: number): Value {
    if (depth > LONGEST_NESTING) throw tooDeep(this.#path);
    if (++this.#budget.nodes > MOST_NODES) throw invalid(this.#path, `has more than ${MOST_NODES} values`);
    if (node === null || node === undefined) return null;
    if (isScalar(node)) return readScalar(node);
    if (isSeq(node)) return node.items.map((item) => this.read(item, depth + 1));
    if (!isMap(node)) throw invalid(this.#path, "has a part that is no map, list or scalar");
    const map = new Map<string, Value>();
    for (const pair of node.items) {
      const key = this.#key(pair.key);
      if (map.has(key)) throw invalid(this.#path, `gives the key ${quote(key)} twice`, this.#line(pair.key));
      map.set(key, this.read(pair.value, depth + 1));
    }
    return map;
  }

  #key(node: unknown): string {
    if (!isScalar(node) || typeof node.value !== "string" || node.value === "") {
      throw invalid(this.#path, "has a key that is empty or no plain text", this.#line(node));
    }
    if (forbiddenKeys.has(node.value)) {
      throw invalid(this.#path, `uses the key ${quote(node.value)}, which is not allowed`, this.#line(node));
    }
    return node.value;
  }

  #line(node: unknown): number | undefined {
    const range = isScalar(node) ? node.range : undefined;
    return range === undefined || range === null ? undefined : this.#lines.linePos(range[0]).line;
  }
}

function readScalar(node: Scalar): Value {
  const text = typeof node.value === "string" ? node.value : String(node.value ?? "");
  const plain = node.type === Scalar.PLAIN && node.tag !== "tag:yaml.org,2002:str";
  if (!plain) return text;
  return text === "" ? null : new Plain(text);
}
