interface Literal {
  /** What ends it. */
  readonly quote: string;
  /** Whether it has replacement fields. */
  readonly fields: boolean;
  /** A format specification, which ends together with its replacement field. */
  readonly spec: boolean;
  /** Open brackets inside the replacement field that is being read. */
  depth: number;
}

/**
 * The text with every comment and the inside of every string blanked out, replacement fields excepted. Python's words
 * can be told apart without its grammar, so that this also holds where the grammar is newer than the parser's.
 */
export function codeOnly(text: string): string {
  const out: string[] = [];
  const stack: Literal[] = [];
  let inside = false;
  for (let at = 0; at < text.length; ) {
    const literal = stack.at(-1);
    let width = 1;
    let shown = false;
    if (inside && literal !== undefined) {
      const next = inString(text, at, literal);
      if (next === "end") {
        width = Math.max(1, literal.quote.length);
        inside = literal.spec;
        stack.pop();
      } else if (next === "field") inside = false;
      else width = next;
    } else {
      const started = startAt(text, at, literal);
      if (started !== undefined) {
        stack.push(started);
        inside = true;
        width = started.spec ? 1 : started.quote.length;
      } else if (text[at] === "#") width = lineEnd(text, at) - at;
      else {
        shown = true;
        inside = literal !== undefined && closesField(literal, text[at] ?? "");
      }
    }
    const piece = text.slice(at, at + width);
    out.push(shown ? piece : piece.replace(/[^\n]/g, " "));
    at += width;
  }
  return out.join("");
}

/** What comes next inside a string: its end, a replacement field, or so many characters of text. */
function inString(text: string, at: number, literal: Literal): "end" | "field" | number {
  if (text.startsWith(literal.quote, at)) return "end";
  const c = text[at];
  if (c === "\\") return literal.fields && /[{}]/.test(text[at + 1] ?? "") ? 1 : 2;
  if (c === "\n" && literal.quote.length === 1) return "end";
  if (c !== "{" || !literal.fields) return 1;
  return text[at + 1] === "{" && !literal.spec ? 2 : "field";
}

/** Counts brackets in a replacement field; true when it is over. */
function closesField(literal: Literal, c: string): boolean {
  if ("([{".includes(c)) literal.depth++;
  if (!")]}".includes(c)) return false;
  if (literal.depth === 0) return c === "}";
  literal.depth--;
  return false;
}

/** The string that starts here, or the format specification of the field that is being read. */
function startAt(text: string, at: number, around: Literal | undefined): Literal | undefined {
  const c = text[at];
  if (c === ":" && around?.fields === true && around.depth === 0) {
    return { quote: "}", fields: true, spec: true, depth: 0 };
  }
  if (c !== '"' && c !== "'") return undefined;
  const quote = text.startsWith(c.repeat(3), at) ? c.repeat(3) : c;
  const prefix = /(?:^|\W)([a-z]{1,2})$/i.exec(text.slice(Math.max(0, at - 3), at))?.[1] ?? "";
  return { quote, fields: /^(?:r?[ft]|[ft]r)$/i.test(prefix), spec: false, depth: 0 };
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}
