import { describe, expect, test } from "vitest";
import { scanSource } from "./index.ts";

const found = (source: string, file = "a.js") =>
  scanSource(file.endsWith(".js") ? "javascript" : "typescript", source, file).map(
    ({ rule, severity, line }) => `${rule} ${severity} ${line}`,
  );

const dangerous: readonly (readonly [string, string, number?])[] = [
  ["require('child_process')", "js-child-process critical"],
  ["import { exec } from 'node:child_process'", "js-child-process critical"],
  ["import 'child_process'", "js-child-process critical"],
  ["import * as c from 'child_process'", "js-child-process critical"],
  ["export * from 'child_process'", "js-child-process critical"],
  ["export { exec as default } from 'child_process'", "js-child-process critical"],
  ["await import('node:child_process')", "js-child-process critical"],
  ["require(`child_process`)", "js-child-process critical"],
  ["require('child_' + 'process')", "js-child-process critical"],
  ["require('CHILD_PROCESS'.toLowerCase())", "js-child-process critical"],
  ["globalThis[' eval '.trim()]('x')", "js-eval critical"],
  ["class A extends Function {}", "js-function-constructor critical"],
  ["const F = Function; new (class extends F {})('x')", "js-function-constructor critical"],
  ["require(['child', 'process'].join('_'))", "js-child-process critical"],
  ["require('child_'.concat('process'))", "js-child-process critical"],
  ["require('\\x63hild_process')", "js-child-process critical"],
  ["const n = 'child_process'\nrequire(n)", "js-child-process critical", 2],
  ["const r = require; r('child_process')", "js-child-process critical"],
  ["module.require('child_process')", "js-child-process critical"],
  ["process.mainModule.require('child_process')", "js-child-process critical"],
  ["process.getBuiltinModule('child_process')", "js-child-process critical"],
  ["require.call(null, 'child_process')", "js-child-process critical"],
  ["(function (r) { r('child_process') })(require)", "js-child-process critical"],
  [
    "import { createRequire as c } from 'node:module'\nc(import.meta.url)('child_process')",
    "js-child-process critical",
    2,
  ],
  [
    "import { createRequire } from 'module'\nconst require = createRequire(import.meta.url)\nrequire('child_process')",
    "js-child-process critical",
    3,
  ],
  ["for (const m of ['fs', 'child_process']) require(m)", "js-child-process critical"],
  ["module.constructor._load('child_process')", "js-child-process critical"],
  ["eval(x)", "js-eval critical"],
  ["(0, eval)(x)", "js-eval critical"],
  ["eval?.(x)", "js-eval critical"],
  ["const e = eval", "js-eval critical"],
  ["window.eval(x)", "js-eval critical"],
  ["globalThis['ev' + 'al'](x)", "js-eval critical"],
  ["self?.eval(x)", "js-eval critical"],
  ["const { eval: e } = globalThis; e(x)", "js-eval critical"],
  ["Reflect.get(globalThis, 'eval')(x)", "js-eval critical"],
  ["\\u0065val(x)", "js-eval critical"],
  ["\\u{65}val(x)", "js-eval critical"],
  ["[x].map(eval)", "js-eval critical"],
  ["o = { eval }", "js-eval critical"],
  ["`$" + "{eval(x)}`", "js-eval critical"],
  ["<A b={eval(x)} />", "js-eval critical"],
  ["function f() { { let eval = 1 } eval(x) }", "js-eval critical"],
  ["function f(a = eval(x)) { var eval }", "js-eval critical"],
  ["var eval = 1; eval(x)", "js-eval critical"],
  ["setTimeout('x()', 1)", "js-eval critical"],
  ["window.setInterval(`x()`, 1)", "js-eval critical"],
  ["// comment\reval(x)", "js-eval critical", 2],
  ["new Function('a')", "js-function-constructor critical"],
  ["new Function", "js-function-constructor critical"],
  ["Function('a')()", "js-function-constructor critical"],
  ["Function('return this')", "js-function-constructor critical"],
  ["Function('return this', x)()", "js-function-constructor critical"],
  ["globalThis.Function('a')", "js-function-constructor critical"],
  ["Function.apply(null, a)", "js-function-constructor critical"],
  ["x.constructor.constructor('a')", "js-function-constructor critical"],
  ["function f(x) { x.constructor['constructor']('a') }", "js-function-constructor critical"],
  ["(() => {}).constructor('a')", "js-function-constructor critical"],
  ["[]['filter']['constructor']('a')", "js-function-constructor critical"],
  ["Object.getPrototypeOf(async function () {}).constructor('a')", "js-function-constructor critical"],
  ["Function.prototype.constructor('a')", "js-function-constructor critical"],
  ["Reflect.construct(Function, ['a'])", "js-function-constructor critical"],
  ["const F = Function; F('a')", "js-function-constructor critical"],
  ["require(x)", "js-dynamic-require critical"],
  ["require(x || './a')", "js-dynamic-require critical"],
  ["require(`./$" + "{x}`)", "js-dynamic-require critical"],
  ["import(x)", "js-dynamic-import high"],
  ["import 'data:text/javascript,alert(1)'", "js-eval critical"],
  ["import a from 'https://example.org/a.js'", "js-dynamic-import high"],
  ["export * from 'http://example.org/a.js'", "js-dynamic-import high"],
  ["await import('data:text/javascript,alert(1)')", "js-eval critical"],
  ["new (require('worker_threads').Worker)(x, { eval: true })", "js-eval critical"],
  ["import { Worker as W } from 'node:worker_threads'\nnew W(x, { 'eval': y })", "js-eval critical", 2],
  ["Bun.spawn(['x'])", "js-child-process critical"],
  ["Bun.spawnSync(['x'])", "js-child-process critical"],
  ["import { $ } from 'bun'\nawait $`x`", "js-child-process critical", 2],
  ["new Deno.Command('x').output()", "js-child-process critical"],
  ["globalThis.Deno.run({ cmd: ['x'] })", "js-child-process critical"],
  ["require('cluster').fork()", "js-child-process critical"],
  ["import cluster from 'node:cluster'\ncluster.setupPrimary({ exec: 'x' })", "js-child-process critical", 2],
  ["import { register } from 'node:module'\nregister('./a.txt')", "js-vm medium", 2],
  ["globalThis[k](x)", "js-hidden-call high"],
  ["import vm from 'node:vm'", "js-vm medium"],
  ["process.binding('fs')", "js-process-binding medium"],
  ["process.dlopen(m, f)", "js-process-binding medium"],
  ["a <!-- `\neval(x)\n<!-- `", "code-not-scanned high"],
  ["x // \u2028 eval(y)", "code-not-scanned high"],
  ["let = = 1; eval(x)", "js-eval critical"],
  ["x = @ `\n`; new Function('a')", "js-function-constructor critical", 2],
  ["x = ? 1; // eval(y)", "js-eval high"],
];

const harmless = [
  "obj.eval(x)",
  "class A { eval(x) {} static require(x) {} Function = 1 }; o = { eval: 1, get eval() { return 1 }, require() {} }",
  "class Function {}",
  "x instanceof Function; typeof Function; Function.prototype.call(x); a = { type: Function }",
  "Function('return this')()",
  "function f(eval, require) { eval(x); require(y) }",
  "const f = (require) => require(x)",
  "function f() { var require = g; if (x) { require(y) } }",
  "try {} catch (eval) { eval(x) }",
  "require('./a'); require.resolve(x); require.cache; import('./b')",
  "setTimeout(() => x, 1); setTimeout(f, 1)",
  "new Worker('./a.js'); new Worker(x, { eval: false, type: 'module' }); Bun.file(x); Deno.env.get('x')",
  "import a from 'npm:a'; import b from 'jsr:@a/b'; x = 'https://example.org/a.js'",
  "// eval(x)\n/* new Function('a') */",
  "'eval(x)'; `new Function(a)`; /eval(x)/",
  "this.constructor(x); new this.constructor(y); A.__super__.constructor.call(this)",
  "regex.exec(x); db.exec('x'); retrieval(x); window[name]; window.open('x')",
  "import data from './a.json' with { type: 'json' } // eval(x)",
  "import child from './child_process.js'; x = 'child_process'",
  "window.parent.postMessage(x); process.env.X; process.exit(1)",
];

const typed = [
  "import type { ChildProcess } from 'child_process'",
  "import { type ChildProcess } from 'node:child_process'",
  "export type { ChildProcess } from 'child_process'",
  "type T = Function; const f: Function = g; type E = typeof eval",
  "declare function eval(x: string): unknown",
  "function f(this: Window, eval: Function) { eval(x) }",
];

const typedDangerous: readonly (readonly [string, string])[] = [
  ["(eval as any)(x)", "js-eval critical 1"],
  ["eval!(x)", "js-eval critical 1"],
  ["(<any>eval)(x)", "js-eval critical 1"],
  ["new Function<string>('a')", "js-function-constructor critical 1"],
  ["enum A { b = eval('1') }", "js-eval critical 1"],
  ["import c = require('child_process')", "js-child-process critical 1"],
  ["import c, { type D } from 'child_process'", "js-child-process critical 1"],
];

describe("dangerous JavaScript", () => {
  test.each(dangerous.map(([source, expected, line = 1]) => [source, `${expected} ${line}`] as const))(
    "%j",
    (source, expected) => {
      expect(found(source)).toContain(expected);
    },
  );
});

describe("harmless JavaScript", () => {
  test.each(harmless)("%j", (source) => {
    expect(found(source)).toEqual([]);
  });
});

describe("TypeScript", () => {
  test.each(typed)("harmless: %j", (source) => {
    expect(found(source, "a.ts")).toEqual([]);
  });
  test.each(typedDangerous)("dangerous: %j", (source, expected) => {
    expect(found(source, "a.ts")).toContain(expected);
  });
  test("markup only in .tsx", () => {
    expect(found("const a = <A b={eval(x)} />", "a.tsx")).toContain("js-eval critical 1");
  });
});
