import { describe, expect, test } from "vitest";
import { languageOf, scanSource } from "./index.ts";

const found = (source: string) =>
  scanSource("python", source, "a.py").map(({ rule, severity, line }) => `${rule} ${severity} ${line}`);

const dangerous: readonly (readonly [string, string, number?])[] = [
  ["import os\nos.system('x')", "python-os-system critical", 2],
  ["import os as o\n\no.system('x')", "python-os-system critical", 3],
  ["from os import system as s\ns('x')", "python-os-system critical", 2],
  ["from os import system", "python-os-system critical"],
  ["import posix\nposix.system('x')", "python-os-system critical", 2],
  ["import pty\npty.spawn('sh')", "python-os-system critical", 2],
  ["os.execvp('a', [])", "python-os-system critical"],
  ["os.posix_spawn('a', [], {})", "python-os-system critical"],
  ["os\\\n.system('x')", "python-os-system critical"],
  ["f = os.system; f()", "python-os-system critical"],
  ["a, b = os.system, 1", "python-os-system critical"],
  ["if (s := os).system('x'): pass", "python-os-system critical"],
  ["a, (b, *c) = 1, (os, 2)\nb.system('x')", "python-os-system critical", 2],
  ["getattr(os, 'sys' + 'tem')('x')", "python-os-system critical"],
  ["getattr(os, 'sys' 'tem')('x')", "python-os-system critical"],
  ["getattr(os, 'SYSTEM'.lower())('x')", "python-os-system critical"],
  ["getattr(os, ' system '.strip())('x')", "python-os-system critical"],
  ["__builtins__['EVAL'.lower()]('1')", "python-eval critical"],
  ["getattr(os, f'system')('x')", "python-os-system critical"],
  ["getattr(os, f'{\"sys\"}tem')('x')", "python-os-system critical"],
  ["getattr(os, ''.join(['sys', 'tem']))('x')", "python-os-system critical"],
  ["getattr(os, '\\x73ystem')('x')", "python-os-system critical"],
  ["getattr(os, b'system'.decode())('x')", "python-os-system critical"],
  ["n = 'system'\ngetattr(os, n)('x')", "python-os-system critical", 2],
  ["os.__dict__['system']('x')", "python-os-system critical"],
  ["vars(os)['system']('x')", "python-os-system critical"],
  ["vars(os).get('system')('x')", "python-os-system critical"],
  ["os.__getattribute__('system')('x')", "python-os-system critical"],
  ["object.__getattribute__(os, 'system')('x')", "python-os-system critical"],
  ["import sys\nsys.modules['os'].system('x')", "python-os-system critical", 2],
  ["import importlib\nimportlib.import_module('os').system('x')", "python-os-system critical", 2],
  ["from importlib import import_module as i\ni('o' + 's').system('x')", "python-os-system critical", 2],
  ["import shutil\nshutil.os.system('x')", "python-os-system critical", 2],
  ["globals()['os'].system('x')", "python-os-system critical"],
  ["f.__globals__['os'].system('x')", "python-os-system critical"],
  ["[os][0].system('x')", "python-os-system critical"],
  ["{'a': os}['a'].system('x')", "python-os-system critical"],
  ["x = {**os.__dict__}['system']", "python-os-system critical"],
  ["for m in (os, 1):\n  m.system('x')", "python-os-system critical", 2],
  ["class A:\n  o = os\nA.o.system('x')", "python-os-system critical", 3],
  ["self.o = os\nself.o.system('x')", "python-os-system critical", 2],
  ["def f(o=os):\n  o.system('x')", "python-os-system critical", 2],
  ["def f(o):\n  o.system('x')\nf(os)", "python-os-system critical", 2],
  ["def f():\n  return os\nf().system('x')", "python-os-system critical", 3],
  ["(lambda o: o.system('x'))(os)", "python-os-system critical"],
  ["import operator\noperator.attrgetter('system')(os)('x')", "python-os-system critical", 2],
  ["@os.system\ndef f(): pass", "python-os-system critical"],
  [
    "def f():\n  o = None\n  def g():\n    nonlocal o\n    o = os\n  g()\n  o.system('x')",
    "python-os-system critical",
    7,
  ],
  ["from .a import os as o\no.system('x')", "python-os-system critical", 2],
  ["import subprocess\nsubprocess.run(['x'])", "python-subprocess critical", 2],
  ["from subprocess import *\nrun('x')", "python-subprocess critical", 2],
  ["import asyncio\nasyncio.create_subprocess_shell('x')", "python-subprocess critical", 2],
  ["import asyncio\nasyncio.subprocess.create_subprocess_exec('x')", "python-subprocess critical", 2],
  ["def f(x: subprocess.Popen('a')): pass", "python-subprocess critical"],
  ["exec('x')", "python-exec critical"],
  ["eval('x')", "python-eval critical"],
  ["if 0: eval = 1\neval('x')", "python-eval critical", 2],
  ["class A:\n  def eval(self): pass\neval('x')", "python-eval critical", 3],
  ["class A:\n  eval = 1\n  def f(self): eval('x')", "python-eval critical", 3],
  ["def f():\n  eval = 1\n  class A:\n    eval('x')\n    eval = 2", "python-eval critical", 4],
  ["def f():\n  global eval\n  eval('x')\n  eval = 1", "python-eval critical", 3],
  ["def f(a=eval('x')):\n  eval = 1", "python-eval critical"],
  ["def f():\n  [0 for eval in ()]\n  eval('x')", "python-eval critical", 3],
  ["map(eval, xs)", "python-eval critical"],
  ["f(cb=eval)", "python-eval critical"],
  ["x = [eval]", "python-eval critical"],
  ["@eval\ndef f(): pass", "python-eval critical"],
  ["x = lambda: eval('1')", "python-eval critical"],
  ["f'{eval(1)}'", "python-eval critical"],
  ["t'{eval(1)}'", "python-eval critical"],
  ["f'{x:{eval(1)}}'", "python-eval critical"],
  ["\uff45\uff56\uff41\uff4c('x')", "python-eval critical"],
  ["\u{1d41e}val('x')", "python-eval critical"],
  ["import builtins\nbuiltins.eval('x')", "python-eval critical", 2],
  ["x = __builtins__\nx.eval('x')", "python-eval critical", 2],
  ["__builtins__['ev' + 'al']('x')", "python-eval critical"],
  ["len.__self__.eval('x')", "python-eval critical"],
  ["x = 1 # comment\reval('x')", "python-eval critical", 2],
  ["__import__('os')", "python-import critical"],
  ["getattr(os, name)('x')", "python-hidden-call high"],
  ["getattr(os, 'metsys'[::-1])('x')", "python-hidden-call high"],
  ["getattr(os, x or 'path')", "python-hidden-call high"],
  ["__builtins__[name]('x')", "python-hidden-call high"],
  ["globals()[name]('x')", "python-hidden-call high"],
  ["from subprocess import *", "python-hidden-call high"],
  ["import importlib\nimportlib.import_module(name)", "python-dynamic-import medium", 2],
  ["import pickle\npickle.loads(b)", "python-unpickle medium", 2],
  ["from marshal import loads", "python-unpickle medium"],
  ["import ctypes", "python-native-code medium"],
  ["compile(a, b, 'exec')", "python-compile medium"],
  ["# -*- coding: utf-7 -*-\n", "python-source-encoding critical"],
  ["#!/x\n# vim: set fileencoding=rot13 :\n", "python-source-encoding critical"],
  ["# coding: unicode_escape\n", "python-source-encoding critical"],
  ["i\0m\0p\0", "python-source-encoding critical"],
  [
    "from importlib.machinery import SourceFileLoader as L\nL('x', 'y.txt').load_module()",
    "python-dynamic-import medium",
    2,
  ],
  ["import importlib.util as u\ns = u.spec_from_file_location('x', 'y.txt')", "python-dynamic-import medium", 2],
  ["import pydoc\npydoc.locate('os.system')('x')", "python-dynamic-import medium", 2],
  ["import pkgutil\npkgutil.resolve_name('os:system')('x')", "python-dynamic-import medium", 2],
  ["import runpy\nrunpy.run_path('y.txt')", "python-dynamic-import medium", 2],
  ["import code\ncode.interact()", "python-compile medium", 2],
  ["import code\ncode.InteractiveInterpreter().runsource('x')", "python-compile medium", 2],
  ["import timeit\ntimeit.timeit('import os')", "python-exec critical", 2],
  ["from timeit import Timer\nTimer('x').timeit()", "python-exec critical", 2],
  ["import cProfile\ncProfile.run(x)", "python-exec critical", 2],
  ["import pdb\npdb.run('x')", "python-exec critical", 2],
  ["import asyncio\nasyncio.get_event_loop().subprocess_shell(p, 'x')", "python-subprocess critical", 2],
  ["loop.subprocess_exec(p, 'x')", "python-subprocess critical"],
  ["import tempfile\ntempfile._os.system('x')", "python-os-system critical", 2],
  ["import random as r\nr.a._os.popen('x')", "python-os-system critical", 2],
  ["import os, functools\nfunctools.reduce(getattr, ['system'], os)('x')", "python-hidden-call high", 2],
  ["match os:\n  case o:\n    o.system('x')", "python-os-system critical", 3],
  ["from contextlib import nullcontext\nwith nullcontext(os) as o:\n  o.system('x')", "python-os-system critical", 3],
  // Newer or unknown syntax around it.
  ["with (a as b, c as d): pass\neval('x')", "python-eval critical", 2],
  ["x = = 1\nsubprocess.run('x')", "python-subprocess critical", 2],
  ["class A[T = int]: pass\nos.system('x')", "python-os-system critical", 2],
  ["$ 'a\neval('x')", "python-eval critical", 2],
];

const harmless = [
  "model.eval()",
  "cursor.execute('x')",
  "obj.exec()",
  "import re\nre.compile('x')",
  "class A:\n  def eval(self): pass\n  def exec(self): return self.eval()",
  "from ast import literal_eval\nliteral_eval('1')",
  "retrieval('x')",
  "self.system('x')",
  "macos.system()",
  "import platform\nplatform.system()",
  "runner.run()",
  "import subprocess",
  "import os, subprocess\nx = subprocess.PIPE, os.path.join('a'), os.environ['x'], os.getpid()",
  "def f(p: subprocess.Popen | None) -> subprocess.Popen: pass",
  "def f(eval, exec, compile):\n  eval(1); exec(2); compile(3)",
  "def f():\n  eval = len\n  return [eval(x) for x in y]",
  "lambda eval: eval(1)",
  "def f():\n  for eval in x: eval()\n  with x as exec: exec()",
  "import timeit\ntimeit.timeit(lambda: f(), number=3); timeit.timeit(f); timeit.default_timer()",
  "from functools import reduce\nreduce(getattr, 'a.b'.split('.'), thing)",
  "with open('a') as f, lock as l:\n  f.run(); l.system()",
  "match x:\n  case o: o.system()\n  case A(run=r): r()",
  "import cProfile, pdb\npdb.set_trace(); cProfile.Profile().enable()",
  "'eval(1)'",
  "'''\nos.system('x')\n'''",
  "# eval(x)",
  "x = 'os.system' # subprocess.run",
  "f'eval(1) {x} exec(2)'",
  "x.__dict__[name]; getattr(self, name)(); getattr(obj, 'eval')()",
  "globals()['x'] = 1; vars()['y']",
  "sys.modules[__name__]",
  "# -*- coding: utf-8 -*-\nx = 1",
  "# coding: latin-1\n",
  "# coding: cp1252\n",
  "x = 1\ny = 2\n# coding: utf-7\n",
  "@contextmanager\ndef f():\n  yield\n  x = 1. + 2.\n",
  "with (a as b, c as d):\n  pass\n'eval(1)' # exec(2)\n'''\nos.system(3)\n'''",
  "x = f'{a!r:>{w}} {b[\"eval(\"]}'",
];

describe("dangerous Python", () => {
  test.each(dangerous.map(([source, expected, line = 1]) => [source, `${expected} ${line}`] as const))(
    "%j",
    (source, expected) => {
      expect(found(source)).toContain(expected);
    },
  );
});

describe("harmless Python", () => {
  test.each(harmless)("%j", (source) => {
    expect(found(source)).toEqual([]);
  });
});

test("a finding names the file, what was found and the remedy", () => {
  expect(scanSource("python", "eval(x)", "lib/a.py")).toEqual([
    {
      rule: "python-eval",
      severity: "critical",
      message: "eval: it runs text as code; parse the data instead (ast.literal_eval, json.loads)",
      file: "lib/a.py",
      line: 1,
    },
  ]);
});

test("the gravest twenty are kept", () => {
  const findings = scanSource("python", `${"pickle.loads(b)\n".repeat(50)}${"eval(x)\n".repeat(5)}`, "a.py");
  expect(findings).toHaveLength(20);
  expect(findings.slice(0, 6).map(({ severity, line }) => `${severity} ${line}`)).toEqual([
    "critical 51",
    "critical 52",
    "critical 53",
    "critical 54",
    "critical 55",
    "medium 1",
  ]);
});

test("but none is pushed out by graver ones of another rule, which may weigh less in a package", () => {
  const rules = found(`import subprocess\n${"subprocess.run(['x'])\n".repeat(25)}getattr(os, input())('x')\n`);
  expect(rules).toHaveLength(20);
  expect(rules.at(-1)).toBe("python-hidden-call high 27");
});

test.each([
  ["a.py", "", "python"],
  ["a/B.PYW", "", "python"],
  ["a.pyi", "", "python"],
  ["a.js", "", "javascript"],
  ["a.MJS", "", "javascript"],
  ["a.cjs", "", "javascript"],
  ["a.jsx", "", "javascript"],
  ["a.ts", "", "typescript"],
  ["a.mts", "", "typescript"],
  ["a.cts", "", "typescript"],
  ["a.tsx", "", "typescript"],
  ["bin/run", "#!/usr/bin/env python3.12", "python"],
  ["bin/run", "#!/usr/bin/env -S node --no-warnings", "javascript"],
  ["bin/run", "#!/usr/bin/env -S deno run", "typescript"],
  ["bin/run", "#! /opt/bun", "typescript"],
  ["bin/run", "#!/usr/bin/env -S uv run --script", "python"],
  ["bin/run", "#!/usr/bin/env -Spython3 -u", "python"],
  ["bin/run", "#!/usr/bin/env -S A=1 python3 -m x", "python"],
  ["bin/run", "#!/usr/bin/env tsx", "typescript"],
  ["bin/run", "#!/usr/bin/env -S npx ts-node", "typescript"],
  ["bin/run", "#!/usr/bin/env -S node --import tsx", "typescript"],
  ["bin/run", "#!/bin/sh\n'''exec' python3 \"$0\" \"$@\"\n' '''", "python"],
  ["bin/run", "#!/usr/bin/env ruby\nputs 'python3'", undefined],
  ["bin/run", "#!/bin/sh", undefined],
  ["bin/run", "python3", undefined],
  ["a.txt", "#!/usr/bin/env python3", undefined],
  ["a.json", "", undefined],
])("%s with %j is %s", (path, firstLine, language) => {
  expect(languageOf(path, firstLine)).toBe(language);
});
