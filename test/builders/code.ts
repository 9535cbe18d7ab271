/** A source file and the rule that it breaks; none where it only looks as if. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly rule?: string;
}

const python = (rule: string | undefined, ...lines: string[]): Source => ({
  path: "src/tool.py",
  text: `${lines.join("\n")}\n`,
  ...(rule === undefined ? {} : { rule }),
});
const script = (path: string, rule: string | undefined, ...lines: string[]): Source => ({
  ...python(rule, ...lines),
  path,
});

/** Code that a registry refuses, in spellings that a search for words would miss or that readers see as such. */
export const dangerousCode: readonly Source[] = [
  python("python-os-system", "import os", "os.system('ls')"),
  python("python-os-system", "import os as harmless", "harmless.system('ls')"),
  python("python-os-system", "from os import system as greet", "greet('ls')"),
  python("python-os-system", "import os", "run = os.system", "run('ls')"),
  python("python-os-system", "import os", "getattr(os, 'sys' + 'tem')('ls')"),
  python("python-os-system", "import os", "os.\\", "  system('ls')"),
  python("python-subprocess", "import subprocess", "subprocess.run(['ls'])"),
  python("python-subprocess", "from subprocess import *", "run(['ls'])"),
  python("python-subprocess", "import subprocess as s", "def f():", "    return s.Popen(['ls'])"),
  python("python-eval", "def f(text):", "    return eval(text)"),
  python("python-eval", "list(map(eval, ['1']))"),
  python("python-eval", "\uff45\uff56\uff41\uff4c('1')"),
  python("python-eval", "print(f\"{eval('1')}\")"),
  python("python-exec", "exec('x = 1')"),
  python("python-exec", "import builtins", "builtins.exec('x = 1')"),
  python("python-import", "__import__('os')"),
  python("python-source-encoding", "# -*- coding: utf-7 -*-", "x = 1"),
  script("src/index.js", "js-child-process", "require('child_process').execSync('ls')"),
  script("src/index.mjs", "js-child-process", "import { exec as greet } from 'node:child_process';", "greet('ls');"),
  script("src/index.ts", "js-child-process", "const { spawn } = await import(`child_process`);", "spawn('ls');"),
  script("src/index.cjs", "js-child-process", "const r = require;", "r('child_' + 'process');"),
  script("src/index.js", "js-eval", "const f = (x) => eval(x);"),
  script("src/index.js", "js-eval", "(0, eval)('1');"),
  script("src/index.js", "js-eval", "globalThis['eval']('1');"),
  script("src/index.ts", "js-function-constructor", "const f: unknown = new Function('a', 'return a');"),
  script("src/index.js", "js-dynamic-require", "module.exports = (name) => require(name);"),
];

/** Code that a search for words would find, and that does nothing of the kind. */
export const harmlessCode: readonly Source[] = [
  python(undefined, "# os.system('ls') is what we never do", 'TEXT = "eval(1) and exec(2)"', '"""subprocess.run"""'),
  python(undefined, "import torch", "model = torch.load", "def test(model):", "    model.eval()"),
  python(undefined, "import ast, re", "re.compile('x')", "ast.literal_eval('1')"),
  python(
    undefined,
    "class Cursor:",
    "    def exec(self, sql):",
    "        return self.run(sql)",
    "    def run(self, sql): ...",
  ),
  python(undefined, "def retrieval(x): return x", "retrieval(1)", "class macos:", "    system = 'Darwin'"),
  python(undefined, "import os, subprocess", "print(os.path.join('a', 'b'), subprocess.PIPE)"),
  script(
    "src/index.js",
    undefined,
    "// eval(x), new Function, child_process",
    "const text = \"require('child_process')\";",
  ),
  script("src/index.ts", undefined, "type F = Function;", "import type { ChildProcess } from 'node:child_process';"),
  script("src/index.js", undefined, "class Cursor { eval(x) { return x; } }", "new Cursor().eval(1);"),
  script("src/index.mjs", undefined, "const { join } = await import('node:path');", "join('a', 'b');"),
];
