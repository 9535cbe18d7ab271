import type { SourceLanguage } from "./source/index.ts";

export interface EntryPoint {
  readonly language: SourceLanguage;
  /** Started by itself, so that its `#!` line says what reads it; others are loaded by the language's own runtime. */
  readonly isProgram: boolean;
}

type Members = Readonly<Record<string, unknown>>;

/** What runtimes load as something else than code, whatever names it. */
const noCode = /\.(?:json|node|wasm)$/i;
/** What `exports` gives out beside code: styles, texts, pictures and declarations. */
const asset =
  /\.(?:css|s[ac]ss|less|md|txt|svg|png|jpe?g|gif|ico|woff2?|ttf|html?|ya?ml|toml|xml|map|proto|graphql|sql)$/i;
const MOST_PATHS = 500;

/**
 * Files that manifests at the package root name as code, whatever their extension: runtimes go by the name they are
 * given. Targets with a `*` are passed over.
 * @param manifests decoded manifests by file name; unknown shapes name nothing
 */
export function entryPoints(
  manifests: readonly { readonly file: string; readonly json: unknown }[],
): ReadonlyMap<string, EntryPoint> {
  const found = new Map<string, EntryPoint>();
  const add = (names: readonly unknown[], language: SourceLanguage, isProgram: boolean): void => {
    for (const path of names.flatMap(pathsOf))
      if (found.size < MOST_PATHS && !noCode.test(path) && !found.has(path)) found.set(path, { language, isProgram });
  };
  for (const { file, json } of manifests) {
    const members = membersOf(json);
    if (file === "package.json") {
      add([members.main, members.module, ...exported(members.exports)], "javascript", false);
      add(textsOf(members.bin), "javascript", true);
    }
    if (file === "manifest.json") add([members.entry, members.entryPoint], "javascript", false);
    if (/^plugin\.ya?ml$/.test(file) && typeof members.entry_point === "string") {
      const module = members.entry_point.split(":")[0] ?? "";
      add([module, module.replaceAll(".", "/")], "python", true);
    }
  }
  return found;
}

function membersOf(json: unknown): Members {
  return typeof json === "object" && json !== null ? { ...json } : {};
}

const DEEPEST = 8;

/** Every text in a value. */
function textsOf(value: unknown, depth = 0): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || depth === DEEPEST) return [];
  return Object.values(value).flatMap((inner) => textsOf(inner, depth + 1));
}

/** What the main entry gives out is code; of the others, what does not look like an asset. */
function exported(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return textsOf(value);
  return Object.entries(value).flatMap(([key, target]) => {
    const texts = textsOf(target);
    return key.startsWith("./") ? texts.filter((text) => !asset.test(text)) : texts;
  });
}

/** As paths of a package are written; also the `index` of a folder, without an extension. */
function pathsOf(value: unknown): readonly string[] {
  if (typeof value !== "string") return [];
  const path = value
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
  return [path, `${path}/index`];
}
