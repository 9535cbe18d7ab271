import type { Finding } from "../inspection.ts";
import { gravest } from "./gravest.ts";
import { type SourceLanguage, scanSource } from "./source/index.ts";
import type { Effort } from "./source/parse.ts";

/** Code inside of a file that is something else. */
interface EmbeddedCode {
  readonly language: SourceLanguage;
  readonly text: string;
  /** Line of the file on which it begins, less one; undefined where lines of the file say nothing. */
  readonly linesBefore: number | undefined;
}

const MOST_SCRIPTS = 100;
/** Of one file. */
const MOST_FINDINGS = 20;

/** Whether a file may hold code that `embeddedCode` takes out. */
export function mayEmbed(path: string): boolean {
  return /\.(?:ipynb|html?|xhtml|vue|svelte)$/i.test(path);
}

/** A page runs in the sandbox of a browser, where no other program can be reached: at most medium. */
const isPage = (path: string): boolean => /\.x?html?$/i.test(path);

/** Dangerous constructs in what `embeddedCode` took out of a file. */
export function scanEmbedded(parts: readonly EmbeddedCode[], path: string, effort: Effort): readonly Finding[] {
  const found = parts.flatMap(({ language, text, linesBefore }) =>
    scanSource(language, text, path, effort).map(({ line = 1, ...finding }): Finding => {
      return linesBefore === undefined ? finding : { ...finding, line: line + linesBefore };
    }),
  );
  if (!isPage(path)) return gravest(found, MOST_FINDINGS);
  const known = found.filter(({ rule }) => rule !== "code-not-scanned");
  const more = known.length < found.length ? [embeddedNotScanned(path)] : [];
  const mild = known.map((finding): Finding => (isGrave(finding) ? { ...finding, severity: "medium" } : finding));
  return [...gravest(mild, MOST_FINDINGS), ...more];
}

const isGrave = ({ severity }: Finding): boolean => severity === "critical" || severity === "high";

/** That a page or notebook holds more code than is looked at. */
export function embeddedNotScanned(file: string): Finding {
  const message = "Code inside of this file was not checked, since it is longer or harder than is looked at";
  return { rule: "embedded-code-not-scanned", severity: "medium", message, file };
}

/** Code cells of a notebook as one text, or the contents of `<script>` elements; empty where there is none. */
export function embeddedCode(text: string, path: string): readonly EmbeddedCode[] {
  return /\.ipynb$/i.test(path) ? notebookCode(text) : scriptsIn(text);
}

/** Cells that another interpreter gets. */
const otherCell = /^\s{0,9}%%(?:bash|sh|script|cmd|perl|ruby|html|javascript|js|latex|markdown|svg|writefile)\b/;

function notebookCode(text: string): readonly EmbeddedCode[] {
  const notebook = record(parsed(text));
  const sheets = listOf(notebook.worksheets).flatMap((sheet) => listOf(record(sheet).cells));
  const cells = [...listOf(notebook.cells), ...sheets].map((cell) => record(cell));
  const sources = cells
    .filter((cell) => cell.cell_type === "code")
    .map((cell) => sourceOf(cell.source ?? cell.input))
    .filter((source) => !otherCell.test(source))
    .map((source) => source.replace(/^([ \t]{0,40})[%!?].{0,4000}$/gm, "$1pass"));
  return sources.length === 0 ? [] : [{ language: "python", text: sources.join("\n"), linesBefore: undefined }];
}

/** What is no JSON is no notebook either, for any program. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return undefined;
  }
}

const sourceOf = (source: unknown): string =>
  typeof source === "string"
    ? source
    : listOf(source)
        .filter((line) => typeof line === "string")
        .join("");

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Types of scripts that hold data or templates. */
const noScript =
  /\btype\s{0,9}=\s{0,9}["']?(?!module|text\/(?:java|ecma|type)script|text\/babel|text\/jsx|application\/(?:java|ecma)script)[\w/]/i;
const typed = /\blang\s{0,9}=\s{0,9}["']?tsx?\b/i;
const LONGEST_TAG = 1000;

function scriptsIn(text: string): readonly EmbeddedCode[] {
  const found: EmbeddedCode[] = [];
  const lower = text.toLowerCase();
  let line = 0;
  let counted = 0;
  let at = lower.indexOf("<script");
  while (at !== -1 && found.length < MOST_SCRIPTS) {
    const open = text.indexOf(">", at);
    if (open === -1) break;
    const close = lower.indexOf("</script", open);
    const end = close === -1 ? text.length : close;
    const tag = text.slice(at, Math.min(open, at + LONGEST_TAG));
    for (let next = text.indexOf("\n", counted); next !== -1 && next < open; next = text.indexOf("\n", next + 1))
      line++;
    counted = open;
    const code = text.slice(open + 1, found.length === MOST_SCRIPTS - 1 ? text.length : end);
    if (code.trim() !== "" && !noScript.test(tag)) {
      found.push({ language: typed.test(tag) ? "typescript" : "javascript", text: code, linesBefore: line });
    }
    at = lower.indexOf("<script", end);
  }
  return found;
}

/** Lines of a `.pth` file that Python runs at every start. */
export function scanPathFile(text: string, file: string): readonly Finding[] {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n?|\n/);
  const line = lines.findIndex((entry) => /^import[ \t]/.test(entry));
  if (line === -1) return [];
  const message = "Python would run this line whenever it starts: list folders only, or leave the file out";
  return [{ rule: "python-path-hook", severity: "critical", message, file, line: line + 1 }];
}
