import type { Finding } from "../../inspection.ts";
import { scanJavaScript } from "./javascript/scan.ts";
import { Effort } from "./parse.ts";
import { scanPython } from "./python/scan.ts";

export type SourceLanguage = "python" | "javascript" | "typescript";

const python = /^(?:pythonw?|pypy|ipython|jython|micropython|uv|uvx|pipx|poetry|pdm|hatch)[\d.]*(?:\.exe)?$/i;
const typed = /^(?:deno|bun|bunx|tsx|ts-node(?:-esm|-script)?|vite-node|jiti)$/;
const script = /^(?:node|nodejs|iojs|zx|babel-node|qjs|jsc|electron)[\d.]*(?:\.exe)?$/i;
/** A shell that gives the file over to Python in its next line. */
const handedOn = /^(?:'{3}exec'|"exec"|"{3}:"|'{4})/m;

/**
 * What a file is written in, by its name or, where that has no extension, its `#!` line; undefined where it is not
 * scanned as source.
 * @param start the beginning of its text
 */
export function languageOf(path: string, start: string): SourceLanguage | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  if (/\.py[wi]?$/.test(name)) return "python";
  if (/\.(?:[mc]?js|jsx)$/.test(name)) return "javascript";
  if (/\.(?:[mc]?ts|tsx)$/.test(name)) return "typescript";
  if (name.includes(".", 1)) return undefined;
  const [, line, more = ""] = /^\ufeff?#!([^\n\r]{0,250})([\s\S]*)/.exec(start) ?? [];
  if (line === undefined) return undefined;
  const parts = line.replace(/\s-S(?=\S)/, " ").split(/[\s"']+/);
  const words = parts.map((word) => word.slice(word.lastIndexOf("/") + 1));
  for (const word of words) {
    if (typed.test(word)) return "typescript";
    if (python.test(word)) return "python";
    if (script.test(word)) return words.some((other) => typed.test(other)) ? "typescript" : "javascript";
  }
  return handedOn.test(more) ? "python" : undefined;
}

/**
 * Dangerous constructs in one source file, about 20, the gravest first and at least one of each rule. Takes any text and never throws; its work is
 * bounded by the length of the text.
 * @param effort what is left for all files of the package; a file that it does not suffice for is not parsed
 */
export function scanSource(
  language: SourceLanguage,
  source: string,
  file: string,
  effort: Effort = new Effort(),
): readonly Finding[] {
  return language === "python" ? scanPython(source, file, effort) : scanJavaScript(language, source, file, effort);
}
