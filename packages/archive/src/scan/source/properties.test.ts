import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SourceLanguage, scanSource } from "./index.ts";

const seed = 20260301;
const python = [
  "import re, sys\nfrom a.b import (c as d, e)",
  "def f(a, b: int = 1, *c, d=2, **e) -> 'x':\n    '''Text with eval(1).'''\n    return a + b",
  "class A(B, metaclass=C):\n    x: int = 1\n    @property\n    def y(self):\n        yield\n        return self.x",
  "x = {'a': [1, 2.], **z}\ny = [i for i in range(3) if i]",
  "with open('a') as f, g() as h:\n    for line in f:\n        print(f'{line!r:>{h}} {{x}}')\n    else:\n        pass",
  "try:\n    a = b if c else (lambda q: q)(1)\nexcept (A, B) as e:\n    raise X from e\nfinally:\n    del a",
  "match x:\n    case A(b) as c if d:\n        pass\n    case _:\n        pass",
  "async def g():\n    async with a as b:\n        await b\n    return (x := 1)",
  's = """eval(1)\n# no comment\n""" r\'\\\' "a"  # exec(1)',
  "global_x = 1 if y else \\\n    2; z = 3",
];
const script = [
  "import a, { b as c } from './x.js'",
  "const { d, e: [f], ...g } = h ?? {}, i = (j) => j / 2 / k",
  'function l(m, { n } = {}) { return m ? n : /[/"]/g.test(`a$' + "{m + `b$" + "{n}`}`) }",
  "class O extends P { static #q = 1; get r() { return this.#q } async *s() { yield* await t } }",
  "for (const u of v) { if (u) continue; else break }",
  "try { w?.x?.[y]?.() } catch { z-- } finally { ; }",
  "label: while (true) { switch (a1) { case 1: { break label } default: b1() } }",
  "// eval(1)\n/* ` */ const c1 = 'eval(1) // \\' '",
  "export default async () => ({ d1, 'e1': 1, [f1]: 2 })",
  "var g1 = <A b={c} {...d}>text's {e} <></></A>",
];
const calls: Record<"python" | "javascript", readonly (readonly [string, string])[]> = {
  python: [
    ["eval(q)", "python-eval"],
    ["exec(q)", "python-exec"],
    ["os.system(q)", "python-os-system"],
    ["subprocess.run(q)", "python-subprocess"],
    ["getattr(os, 'sys' + 'tem')(q)", "python-os-system"],
    ["__import__('os')", "python-import"],
  ],
  javascript: [
    ["eval(q)", "js-eval"],
    ["new Function(q)", "js-function-constructor"],
    ["require('child_' + 'process')", "js-child-process"],
    ["globalThis['ev' + 'al'](q)", "js-eval"],
    ["require(q)", "js-dynamic-require"],
    ["import('child_process')", "js-child-process"],
  ],
};
const languages: readonly SourceLanguage[] = ["python", "javascript", "typescript"];
const language = fc.constantFrom(...languages);
const programs = { python, javascript: script };
const places = fc.tuple(fc.shuffledSubarray([...python.keys()], { minLength: 1 }), fc.nat(), fc.nat(), fc.nat(3));

const indented = (text: string, depth: number) => text.replace(/^/gm, "    ".repeat(depth));
const wrappers = {
  python: (text: string, depth: number) =>
    Array.from({ length: depth }, (_, at) => indented(at % 2 === 0 ? "def w():" : "if w:", at)).join("\n") +
    (depth > 0 ? "\n" : "") +
    indented(text, depth),
  javascript: (text: string, depth: number) => `${"function w() {\n".repeat(depth)}${text}\n${"}\n".repeat(depth)}`,
};

function rulesOf(kind: "python" | "javascript", source: string): string[] {
  return scanSource(kind, source, "a").map(({ rule }) => rule);
}

describe.each(["python", "javascript"] as const)("%s", (kind) => {
  test("the programs alone are harmless", () => {
    for (const part of programs[kind]) expect([part, rulesOf(kind, part)]).toEqual([part, []]);
  });

  test("a dangerous call at any statement boundary is found", () => {
    fc.assert(
      fc.property(places, ([order, at, which, depth]) => {
        const parts = order.map((index) => programs[kind][index] ?? "");
        const [call = "", rule = ""] = calls[kind][which % calls[kind].length] ?? [];
        parts.splice(at % (parts.length + 1), 0, wrappers[kind](call, depth));
        expect(rulesOf(kind, parts.join(kind === "python" ? "\n" : ";\n"))).toContain(rule);
      }),
      { seed, numRuns: 300 },
    );
  });

  test("in a comment or string it is not", () => {
    const hide = [
      (call: string) => `x = ${JSON.stringify(call)}`,
      (call: string) => (kind === "python" ? `# ${call}` : `// ${call}`),
      (call: string) => (kind === "python" ? `x = r'''\n${call.replaceAll("'", "")}\n'''` : `/*\n${call}\n*/`),
    ];
    fc.assert(
      fc.property(places, fc.constantFrom(...hide), ([order, at, which], hidden) => {
        const parts = order.map((index) => programs[kind][index] ?? "");
        parts.splice(at % (parts.length + 1), 0, hidden(calls[kind][which % calls[kind].length]?.[0] ?? ""));
        expect(rulesOf(kind, parts.join(kind === "python" ? "\n" : ";\n"))).toEqual([]);
      }),
      { seed, numRuns: 200 },
    );
  });
});

function expectSound(kind: SourceLanguage, source: string): void {
  const findings = scanSource(kind, source, "a");
  expect(findings.length).toBeLessThanOrEqual(20);
  const lines = source.split(/\r\n?|\n/).length;
  for (const { line = 0 } of findings) expect(line >= 1 && line <= lines).toBe(true);
}

test("any text is scanned without an error", () => {
  fc.assert(fc.property(language, fc.string({ unit: "binary", maxLength: 300 }), expectSound), { seed, numRuns: 300 });
});

test("any splice of code is scanned without an error", () => {
  const words = [
    ..."()[]{}'\"`:;,.\\#/<>=$@\n\t*-+!?&|0",
    "${",
    "f'",
    "'''",
    "//",
    "/*",
    "=>",
    "eval",
    "os.system",
    "lambda",
  ];
  const pieces = [...python, ...script, ...words];
  const piece = fc.tuple(fc.constantFrom(...pieces), fc.nat(60), fc.nat(200));
  fc.assert(
    fc.property(language, fc.array(piece, { maxLength: 30 }), (kind, parts) => {
      expectSound(
        kind,
        parts.map(([text, from, to]) => text.slice(text.length > 9 ? from : 0, from + to + 9)).join(""),
      );
    }),
    { seed, numRuns: 400 },
  );
});

const size = 1_000_000;
const hostile: Readonly<Record<SourceLanguage, readonly string[]>> = {
  python: [
    "(",
    "[",
    "{",
    "lambda:",
    'f"{',
    "((a,",
    ":",
    ")",
    "-",
    "not a.",
    "a.",
    "a+",
    "if x:",
    "print\\",
    "x[",
    "\\",
  ],
  javascript: [
    "(",
    "[",
    "{",
    "({a:",
    "`$" + "{",
    "(a,",
    "[a,",
    "a=>",
    ":",
    "!",
    "a+",
    "<a>",
    "async(",
    "/*",
    "/[",
    "\\",
  ],
  typescript: ["a<", "(a<b,", "<a>(", "type A=", ":", "a?(b):"],
};

test.each(languages.flatMap((kind) => hostile[kind].map((unit) => [kind, unit] as const)))(
  "a megabyte of %s %j is read or given up",
  (kind, unit) => {
    for (const { rule } of scanSource(kind, unit.repeat(size / unit.length), "a"))
      expect(rule).toBe("code-not-scanned");
  },
);

test("long lists and many calls are read", () => {
  const parameters = Array.from({ length: 20_000 }, (_, at) => `a${at}`).join(",");
  expect(rulesOf("python", `x = [${"os,".repeat(50_000)}]\nx[y].system(z)`)).toEqual(["python-os-system"]);
  expect(rulesOf("python", `${"x = 1\n".repeat(40_000)}eval(x)`)).toEqual(["python-eval"]);
  expect(rulesOf("python", `def f(${parameters}): pass\n${"f(os)\n".repeat(20_000)}`)).toEqual([]);
  expect(rulesOf("javascript", `function f(${parameters}) {}\n${"f(g);".repeat(20_000)}`)).toEqual([]);
});

test("what was given up is held, and its words are looked at", () => {
  expect(rulesOf("python", `${"(".repeat(5000)}\nos.system(x)`)).toEqual(["python-os-system", "code-not-scanned"]);
  expect(rulesOf("javascript", `${"(".repeat(5000)}\neval(x)`)).toEqual(["js-eval", "code-not-scanned"]);
  expect(rulesOf("python", `x = a${".b()".repeat(5000)}`)).toContain("code-not-scanned");
});

test("names that go round in circles come to rest", () => {
  const chain = Array.from({ length: 300 }, (_, at) => `a${at} = a${at + 1}`).join("\n");
  expect(rulesOf("python", `${chain}\na300 = os\na0.system(x)`)).toEqual(["code-not-scanned"]);
  expect(rulesOf("python", "a = a + 'x'\nb = [b]\nc = c.d\ndef f(g): return f(g(f))\n")).toEqual([]);
  expect(rulesOf("javascript", "let a = ''; a += a + 'x'; let b = [b]; c = c.d; const f = (g) => f(g(f))")).toEqual([]);
});
