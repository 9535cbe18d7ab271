import type { SourceRule } from "../rules.ts";
import { nothing, pathOf, type Values } from "../values.ts";

/** The global object, under every name that it has. */
const globals = new Set(["globalThis", "window", "self", "global", "frames", "parent", "top"]);
const known = new Set(
  "eval Function require process module Reflect Object setTimeout setInterval setImmediate createRequire Bun Deno Worker".split(
    " ",
  ),
);

/** Something that a value may be of which only its kind matters. */
export const GLOBAL = "<global>";
/** A function of the language or the file: its constructor builds functions from text. */
export const CALLABLE = "<function>";
/** The constructor of something: a function in turn. */
export const CONSTRUCTOR = "<constructor>";
/** What the global object holds under a name known only at run time. */
export const HIDDEN = "<hidden>";

export function globalNamed(name: string): Values {
  if (globals.has(name)) return pathOf(GLOBAL);
  return known.has(name) ? pathOf(name) : nothing;
}

const functionMembers = new Set(["__proto__", "call", "apply", "bind", "toString"]);

/** The path of a module; `node:` says nothing more. */
export function moduleNamed(name: string): string {
  return `module:${name.replace(/^node:/, "")}`;
}

const rules: readonly (readonly [SourceRule, RegExp])[] = [
  ["js-eval", /^eval(?:\.(?:call|apply|bind))?$/],
  ["js-process-binding", /^(?:process|module:process)\.(?:binding|dlopen|_linkedBinding)$/],
  ["js-child-process", /^(?:(?:Bun|module:bun)\.(?:spawn|spawnSync|\$)|Deno\.(?:Command|run))$/],
  ["js-child-process", /^module:cluster\.(?:fork|setupPrimary|setupMaster)$/],
  ["js-vm", /^module:module\.(?:register|registerHooks)$/],
];

/** The rule that a reference breaks, called or not. */
export function javaScriptRuleOf(path: string): SourceRule | undefined {
  return rules.find(([, pattern]) => pattern.test(path))?.[0];
}

/** The rule that loading a module breaks. */
export function moduleRule(path: string): SourceRule | undefined {
  if (/^module:child_process(?:\/|$)/.test(path)) return "js-child-process";
  return path === "module:vm" ? "js-vm" : undefined;
}

/** Code that comes along with its address, or from elsewhere when it is run. */
export function foreignModuleRule(name: string): SourceRule | undefined {
  if (/^\s{0,9}data:/i.test(name)) return "js-eval";
  return /^\s{0,9}(?:https?|blob):/i.test(name) ? "js-dynamic-import" : undefined;
}
export const isWorker = (path: string) => /^(?:Worker|module:worker_threads\.Worker)$/.test(path);
export const isFunctionConstructor = (path: string) => /^Function(?:\.(?:call|apply|bind))?$/.test(path);
export const isRequire = (path: string) => /^(?:require|module:module\._load)(?:\.(?:call|apply|bind))?$/.test(path);

/** What a property of something is. */
export function memberOfPath(path: string, name: string): Values {
  if (path === GLOBAL) return globalNamed(name);
  if (path === HIDDEN) return nothing;
  if (path === "module" && name === "constructor") return pathOf("module:module");
  if (name === "constructor")
    return pathOf(path === CALLABLE || path === CONSTRUCTOR || path.startsWith("Function") ? "Function" : CONSTRUCTOR);
  if (path === CALLABLE) return functionMembers.has(name) ? pathOf(CALLABLE) : nothing;
  if (path === "module" && name === "require") return pathOf("require");
  if (path === "require" && name === "main") return pathOf("module");
  if (path === "process" && name === "mainModule") return pathOf("module");
  if (path.startsWith("module:") && name === "default") return pathOf(path);
  if (/^module:(?:node:)?module$/.test(path) && name === "createRequire") return pathOf("createRequire");
  if (path === "module:process" && name === "getBuiltinModule") return pathOf("process.getBuiltinModule");
  return path.split(".").length > 3 ? nothing : pathOf(`${path}.${name}`);
}
