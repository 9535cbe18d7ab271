/**
 * The same code in characters that the parser knows: line ends, and escapes of letters, which mean the letter in names
 * and strings alike. No line is added or removed.
 */
export function readableJavaScript(source: string): string {
  return source
    .replace(/^\ufeff/, "")
    .replace(/\r\n?/g, "\n")
    .replace(
      /\\(?:u(?:([0-9a-fA-F]{4})|\{0{0,20}([0-9a-fA-F]{1,6})\})|[\s\S])/g,
      (all, four?: string, braced?: string) => {
        const code = Number.parseInt(four ?? braced ?? "", 16);
        const character = code <= 0x10ffff ? String.fromCodePoint(code) : "";
        return /^[\p{ID_Continue}$]$/u.test(character) ? character : all;
      },
    )
    .replace(
      /(\bfrom\s{0,9}["'][^"'\n]{0,200}["'])(\s{1,9}(?:with|assert)\s{0,9}\{\s{0,9}"?type"?\s{0,9}:\s{0,9}["']\w{1,20}["']\s{0,9}\})/g,
      (_all, from: string, attributes: string) => from + attributes.replace(/[^\n]/g, " "),
    );
}

const simple: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", v: "\v", f: "\f", "\n": "" };

/** The text between the quotes of a literal. */
export function literalText(literal: string): string {
  const body = literal.slice(1, -1);
  if (!body.includes("\\")) return body;
  return body.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|([0-7]{1,3})|([\s\S]))/g,
    (_all, x?: string, u?: string, braced?: string, octal?: string, other?: string) => {
      const hex = x ?? u ?? braced;
      const code = hex !== undefined ? Number.parseInt(hex, 16) : octal !== undefined ? Number.parseInt(octal, 8) : -1;
      if (code > 0x10ffff) return "?";
      return code >= 0 ? String.fromCodePoint(code) : (simple[other ?? ""] ?? other ?? "");
    },
  );
}
