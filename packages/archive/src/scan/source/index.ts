import type { Finding } from "../../inspection.ts";
import { scanJavaScript } from "./javascript/scan.ts";
import { Effort } from "./parse.ts";
import { scanPython } from "./python/scan.ts";

export type SourceLanguage = "python" | "javascript" | "typescript";

/** What a file is written in, by its name or its `#!` line; undefined where it is not scanned as source. */
export function languageOf(path: string, firstLine: string): SourceLanguage | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  if (/\.py[wi]?$/.test(name)) return "python";
  if (/\.(?:[mc]?js|jsx)$/.test(name)) return "javascript";
  if (/\.(?:[mc]?ts|tsx)$/.test(name)) return "typescript";
  if (name.includes(".", 1)) return undefined;
  const interpreter = /^\ufeff?#!.{0,200}?[\s/](pythonw?|pypy|node|nodejs|deno|bun)[\d.]*(?:\s|$)/.exec(firstLine)?.[1];
  if (interpreter === undefined) return undefined;
  if (interpreter === "deno" || interpreter === "bun") return "typescript";
  return interpreter.startsWith("py") ? "python" : "javascript";
}

/**
 * Dangerous constructs in one source file, at most 20, the gravest first. Takes any text and never throws; its work is
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
