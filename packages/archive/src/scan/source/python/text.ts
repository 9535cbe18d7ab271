const safeCodec =
  /^(?:utf-?8(?:-sig)?|u8|(?:us-)?ascii|646|latin-?1|l1|iso-?8859-?\d*(?:-\d+)?|8859|cp125\d|windows-125\d|cp1252)$/i;
const cookie = /^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/;

/** The encoding that hides the code from its readers, or undefined where it is an ordinary one. */
export function oddEncoding(source: string): string | undefined {
  if (source.includes("\0")) return "UTF-16 or NUL characters";
  const lines = source.slice(0, 4000).split(/\r\n?|\n/, 2);
  for (const line of lines) {
    const named = cookie.exec(line.replace(/^(?:\ufeff|\u00ef\u00bb\u00bf)/, ""))?.[1];
    if (named !== undefined) return safeCodec.test(named.replaceAll("_", "-")) ? undefined : `encoding ${named}`;
  }
  return undefined;
}

/**
 * The same code in words that the parser knows: line ends, and syntax that it reads as an error. No line is added or
 * removed. Inside strings and comments the changes do not matter.
 */
export function readablePython(source: string): string {
  return source
    .replace(/^\ufeff/, "")
    .replace(/\r\n?/g, "\n")
    .replace(/(?<![\w"'])([rR]?)[tT]([rR]?)(?=["'])/g, "$1f$2")
    .replace(/(?<![\w.])(\d[\d_]{0,40})\.(?![\w.])/g, "$1.0")
    .replace(/\byield(?=[ \t]*(?:$|[)#;\]}]))/gm, "yield 0");
}

/** A name as Python compares names. */
export function nameOf(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : text.normalize("NFKC");
}

const simpleEscapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\n": "", "\\": "\\", "'": "'" };

/** The text of a literal without replacement fields; undefined where it has an escape that is not folded. */
export function literalText(literal: string): string | undefined {
  const parts = /^([a-zA-Z]*)("""|'''|"|')([\s\S]*)\2$/.exec(literal);
  if (parts === null) return undefined;
  const [, prefix = "", , body = ""] = parts;
  if (/r/i.test(prefix) || !body.includes("\\")) return body;
  if (/\\N/.test(body)) return undefined;
  return body.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g,
    (_all, x?: string, u?: string, long?: string, octal?: string, other?: string) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) return character(Number.parseInt(hex, 16));
      if (octal !== undefined) return character(Number.parseInt(octal, 8));
      return simpleEscapes[other ?? ""] ?? other ?? "";
    },
  );
}

function character(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : "?";
}
