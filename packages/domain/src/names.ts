import { invalid, quote } from "./errors.ts";

declare const pluginName: unique symbol;
/** A name that keeps the registry's rule; only `parsePluginName` makes one. */
export type PluginName = string & { readonly [pluginName]: true };

const part = /^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$/;

/** Names that routes need for themselves. */
export const reservedNames: ReadonlySet<string> = new Set([
  "all",
  "publish",
  "search",
  "download",
  "versions",
  "channels",
  "owners",
  "transfer",
  "api",
  "admin",
  "node_modules",
  "favicon.ico",
]);

const rule =
  "use 1 to 64 of a-z, 0-9, dot and hyphen, starting and ending with a letter or digit, without -- or .., optionally @namespace/ in front";

function isPart(text: string): boolean {
  return part.test(text) && !text.includes("--") && !text.includes("..");
}

/** True for a name that a plugin may have been published under (reserved names are not). */
export function isPluginName(text: string): text is PluginName {
  const [namespace, name] = split(text);
  if (namespace !== undefined && !isPart(namespace)) return false;
  return name !== undefined && isPart(name) && (namespace !== undefined || !reservedNames.has(name));
}

function split(text: string): [string | undefined, string | undefined] {
  if (!text.startsWith("@")) return [undefined, text];
  const slash = text.indexOf("/");
  return slash < 0 ? [undefined, undefined] : [text.slice(1, slash), text.slice(slash + 1)];
}

/** @throws kind `invalid_argument`, reasons `RESERVED_NAME` and `INVALID_NAME` */
export function parsePluginName(text: string, pointer = "/name"): PluginName {
  if (isPluginName(text)) return text;
  if (reservedNames.has(text)) {
    throw invalid("RESERVED_NAME", `name: ${quote(text)} is reserved for a route; choose another name`, pointer);
  }
  throw invalid("INVALID_NAME", `name: ${quote(text)} is not a plugin name; ${rule}`, pointer);
}

/** Look-alikes share a skeleton: letters of similar shape fold together and separators fall away. */
const lookAlikes: ReadonlyMap<string, string> = new Map([
  ["0", "o"],
  ["1", "l"],
  ["i", "l"],
  ["5", "s"],
  ["2", "z"],
]);

/**
 * The key under which names are unique: case, `-`, `_` and `.` do not count, nor do characters that look alike
 * (`0`/`o`, `1`/`l`/`i`, `rn`/`m`, `vv`/`w`). The namespace keeps its boundary.
 */
export function skeletonOf(name: string): string {
  const fold = (text: string): string =>
    Array.from(text.normalize("NFKC").toLowerCase().replace(/[-_.]/g, ""), (c) => lookAlikes.get(c) ?? c)
      .join("")
      .replaceAll("rn", "m")
      .replaceAll("vv", "w");
  const [namespace, rest] = split(name);
  return namespace === undefined ? fold(rest ?? name) : `@${fold(namespace)}/${fold(rest ?? "")}`;
}

/** The name without its namespace: what file names are made of. */
export function baseName(name: PluginName): string {
  return split(name)[1] ?? name;
}

/** The namespace of a name, without `@`; undefined where it has none. */
export function namespaceOf(name: PluginName): string | undefined {
  return split(name)[0];
}
