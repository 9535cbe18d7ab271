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

/** Spans of one kind are sorted and apart. */
function covers(spans: readonly Span[], offset: number): boolean {
  let low = 0;
  let high = spans.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const span = spans[middle];
    if (span === undefined) return false;
    if (offset < span.start) high = middle - 1;
    else if (offset >= span.end) low = middle + 1;
    else return true;
  }
  return false;
}

const fenceMark = /^[ \t>]{0,12}(?:[-*+] )?(`{3,20}|~{3,20})([^\n]{0,200})/;

/** Fences as Markdown has them: closed by at least as many of the same mark, or by the end of the text. */
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
  if (open !== undefined) fences.push({ start: open.start, end: text.length });
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
