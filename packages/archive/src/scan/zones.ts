import { patterns } from "./instruction-patterns.ts";

/** A part of a text, from its first offset to the one after its last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** How much of a line is looked at around a match: longer lines are not written by people. */
const LINE_REACH = 400;

/** Tells which parts of a Markdown text are spoken by its author, and which are only shown: code, quotations. */
export class Zones {
  readonly comments: readonly Span[];
  readonly #text: string;
  readonly #fences: readonly Span[];
  readonly #frontMatterEnd: number;

  constructor(text: string) {
    this.#text = text;
    this.#fences = fencesOf(text);
    this.comments = commentsOf(text).filter(({ start }) => !covers(this.#fences, start));
    this.#frontMatterEnd = /^---[ \t]{0,20}\r?\n/.test(text) ? Math.max(0, text.indexOf("\n---", 3)) : 0;
  }

  /** In a fence, a block quotation, a code span, or between quotation marks on one line. */
  isShown({ start, end }: Span): boolean {
    if (covers(this.#fences, start)) return true;
    const reached = this.#text.slice(Math.max(0, start - LINE_REACH), start);
    let before = reached.slice(reached.lastIndexOf("\n") + 1);
    if (start < this.#frontMatterEnd) before = before.replace(/^[ \t]{0,40}[\w-]{1,60}:[ \t]{0,20}["']/, "");
    if (/^[ \t]{0,40}>/.test(before)) return true;
    const [after = ""] = this.#text.slice(end, end + LINE_REACH).split("\n", 1);
    return isBetween(before, after);
  }

  /** Whether the author says, outside of what is shown, that it is an example, an attack, or not to be done. */
  isExcused(span: Span): boolean {
    const fence = spanAt(this.#fences, span.start);
    return exampleWords.test(contextBefore(this.#text, fence ?? span, fence === undefined));
  }
}

const exampleWords =
  /\b(?:examples?|e\.g|for instance|samples?|demo\w{0,9}|detect\w{0,4}|flag\w{0,4}|such as|attack\w{0,4}|inject\w{0,4}|malicious|jailbreak\w{0,4}|adversar\w{1,5}|suspicious|untrusted|poison\w{0,4}|red flags?|threats?|exploit\w{0,4}|exfiltrat\w{1,4}|hijack\w{0,4}|dangerous|do(?: not|n['’]t)|never|must(?: not|n['’]t)|avoid|refus\w{1,4}|reject\w{0,3}|block\w{0,3}|phrases?|patterns?|keywords?|attempt\w{0,3}|like|test(?:s|ed|ing)?)\b/i;
/** Of the list, table or quotation that something stands in. */
const MOST_LINES_UP = 80;
const blockLine = /^[ \t]{0,40}(?:[-*+>|]|\d{1,3}[.)][ \t])/;
const quotedPart =
  /"[^"\n]{0,400}"|`[^`\n]{0,400}`|(?<!\w)'[^'\n]{0,400}'(?!\w)|“[^“”\n]{0,400}”|‘[^‘’\n]{0,400}’|«[^«»\n]{0,400}»|「[^「」\n]{0,400}」/g;

/** What is said, unquoted, on the line of a span but not by itself, and on the two before it (before the list that it is in). */
function contextBefore(text: string, { start: offset, end: after }: Span, withOwnLine: boolean): string {
  const lineAt = (from: number, to: number): string => text.slice(Math.max(from, to - LINE_REACH * 2), to);
  let start = text.lastIndexOf("\n", offset - 1) + 1;
  const newline = text.indexOf("\n", offset);
  const lineEnd = newline === -1 ? text.length : newline;
  const own = `${lineAt(start, offset)} ${text.slice(after, Math.min(lineEnd, after + LINE_REACH))}`;
  const isBlock = blockLine.test(own);
  const unquoted = own.replace(quotedPart, " ").replace(patterns.conceal, " ");
  const said = withOwnLine && !/^[ \t]{0,40}>/.test(own) ? [unquoted] : [];
  let before = 0;
  for (let up = 0; up < MOST_LINES_UP && before < 2 && start > 0; up++) {
    const end = start - 1;
    start = text.lastIndexOf("\n", end - 1) + 1;
    const line = lineAt(start, end);
    if (line.trim() === "" || (isBlock && before === 0 && blockLine.test(line))) continue;
    said.push(line.replace(quotedPart, " "));
    before++;
  }
  return said.join("\n");
}

const pairs: readonly (readonly [open: string, close: string])[] = [
  ["“", "”"],
  ["‘", "’"],
  ["«", "»"],
  ["「", "」"],
];

function isBetween(before: string, after: string): boolean {
  for (const mark of ['"', "`"]) {
    if (before.split(mark).length % 2 === 0 && after.includes(mark)) return true;
  }
  if (pairs.some(([open, close]) => before.lastIndexOf(open) > before.lastIndexOf(close) && after.includes(close))) {
    return true;
  }
  const quote = /(?:^|[\s(:,[])'(?=[^']{0,200}$)/.test(before);
  return quote && /^[^']{0,200}'(?:[\s).,;:!?\]]|$)/.test(after);
}

function covers(spans: readonly Span[], offset: number): boolean {
  return spanAt(spans, offset) !== undefined;
}

/** Spans of one kind are sorted and apart. */
function spanAt(spans: readonly Span[], offset: number): Span | undefined {
  let low = 0;
  let high = spans.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const span = spans[middle];
    if (span === undefined) return undefined;
    if (offset < span.start) high = middle - 1;
    else if (offset >= span.end) low = middle + 1;
    else return span;
  }
  return undefined;
}

const fenceMark = /^[ \t>]{0,12}(?:[-*+] )?(`{3,20}|~{3,20})([^\n]{0,200})/;

/** Fences that are closed by at least as many of the same mark; one that is left open would hide all the rest. */
function fencesOf(text: string): readonly Span[] {
  const fences: Span[] = [];
  let open: { readonly start: number; readonly mark: string } | undefined;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline + 1;
    const [, mark, info = ""] = fenceMark.exec(text.slice(start, Math.min(end, start + LINE_REACH))) ?? [];
    if (mark !== undefined && open === undefined) open = { start, mark };
    else if (mark !== undefined && open !== undefined && mark.startsWith(open.mark) && info.trim() === "") {
      fences.push({ start: open.start, end });
      open = undefined;
    }
    start = end;
  }
  return fences;
}

function commentsOf(text: string): readonly Span[] {
  const comments: Span[] = [];
  let start = text.indexOf("<!--");
  while (start !== -1) {
    const close = text.indexOf("-->", start + 4);
    const end = close === -1 ? text.length : close + 3;
    comments.push({ start, end });
    start = text.indexOf("<!--", end);
  }
  return comments;
}
