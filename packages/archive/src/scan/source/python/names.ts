import type { SourceRule } from "../rules.ts";

const programs = "system|popen[234]?|startfile|(?:exec|spawn)(?:l|v)p?e?|posix_spawnp?|_execvpe|_spawnvef";

/**
 * What each rule of Python is about, as patterns of full names. `*` is a module that the scan cannot tell.
 * posix, nt and the old names of builtins are looked up under os and builtins.
 */
const rules: readonly (readonly [SourceRule, RegExp])[] = [
  ["python-os-system", new RegExp(`^os\\.(?:${programs})$`)],
  ["python-os-system", /^\*\.(?:system|popen|startfile|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?)$/],
  ["python-os-system", /^(?:pty\.spawn|commands\.(?:getoutput|getstatusoutput)|popen2\.popen[234])$/],
  [
    "python-subprocess",
    /^subprocess\.(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput|create_subprocess_(?:exec|shell))$/,
  ],
  ["python-subprocess", /^asyncio\.create_subprocess_(?:exec|shell)$/],
  ["python-subprocess", /^(?:\*\.(?:Popen|check_call|check_output|getstatusoutput)|_posixsubprocess\.fork_exec)$/],
  ["python-subprocess", /^\*\.subprocess_(?:shell|exec)$/],
  ["python-exec", /^builtins\.(?:exec|execfile)$/],
  ["python-eval", /^builtins\.eval$/],
  ["python-import", /^(?:builtins|importlib(?:\._bootstrap)?)\.__import__$/],
  ["python-compile", /^(?:builtins\.compile|code\.(?:interact|Interactive(?:Interpreter|Console)))$/],
  ["python-unpickle", /^(?:c?pickle|_pickle|cPickle|marshal|dill)\.(?:loads?|Unpickler)$|^shelve\.(?:open|Shelf)$/],
  ["python-native-code", /^(?:ctypes|_ctypes|cffi)(?:\..*)?$/],
  ["python-dynamic-import", /^(?:runpy\.run_(?:path|module)|imp\.load_(?:source|module|dynamic|compiled))$/],
  [
    "python-dynamic-import",
    /^(?:importlib\.(?:machinery|_bootstrap_external)\.(?:Source|Sourceless|Extension)FileLoader|importlib\.util\.spec_from_file_location|pydoc\.(?:locate|safeimport|importfile)|pkgutil\.resolve_name|zipimport\.zipimporter)$/,
  ],
];

export function pythonRuleOf(path: string): SourceRule | undefined {
  return rules.find(([, pattern]) => pattern.test(path))?.[0];
}

/** Modules with something dangerous in them, under every name that they have. */
const modules = new Map([
  ["os", "os"],
  ["posix", "os"],
  ["nt", "os"],
  ["_os", "os"],
  ["subprocess", "subprocess"],
  ["_posixsubprocess", "_posixsubprocess"],
  ["builtins", "builtins"],
  ["__builtin__", "builtins"],
  ["__builtins__", "builtins"],
  ["f_builtins", "builtins"],
  ["pty", "pty"],
  ["commands", "commands"],
  ["popen2", "popen2"],
  ["importlib", "importlib"],
  ["runpy", "runpy"],
  ["pickle", "pickle"],
  ["_pickle", "pickle"],
  ["cPickle", "pickle"],
]);

/** The one name of a module, where it is one that the rules speak of. */
export function moduleNamed(name: string): string | undefined {
  return modules.get(name);
}

/** Methods that start programs whatever object has them. */
export const programMethods = new Set(["subprocess_shell", "subprocess_exec"]);

/** Functions that run their first argument as code if it is a text; of the second kind it always is. */
export const runsGivenText = /^(?:timeit\.(?:timeit|repeat|Timer)|trace\.Trace\.runfunc)$/;
export const runsText = /^(?:(?:cProfile|profile)\.(?:run|runctx)|pdb\.(?:run|runeval|runctx)|bdb\.Bdb\.run)$/;

/** Whether reaching into the module by a name known only at run time may reach a dangerous function. */
export function isGuarded(path: string): boolean {
  return path === "os" || path === "subprocess" || path === "builtins" || path === "pty";
}

const builtins = new Set(
  "eval exec compile execfile __import__ getattr globals locals vars open dict list tuple".split(" "),
);

export function builtinNamed(name: string): string | undefined {
  if (builtins.has(name)) return `builtins.${name}`;
  return name === "__loader__" || name === "__spec__" ? name : moduleNamed(name);
}

/** Namespaces of a module or function: what is looked up there is looked up among the file's names. */
export const NAMESPACE = "<globals>";
/** Something reached in a namespace by a name known only at run time. */
export const HIDDEN = "<hidden>";
export const namespaceAttributes = new Set(["__globals__", "f_globals", "f_locals", "func_globals"]);
