import fc from "fast-check";
import { expect, test } from "vitest";
import { PythonWords } from "./python-words.ts";

function scan(text: string, chunk: number): readonly (readonly [string, number | undefined])[] {
  const words = new PythonWords("long.py");
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += chunk) words.push(bytes.subarray(start, start + chunk));
  return words.end().map(({ rule, line }) => [rule, line] as const);
}

const all = "import os\nos.system('ls')\nsubprocess.run([])\nexec('x')\neval('x')\n__import__('x')\n";

test.each([1, 3, 7, 1000])("each of the five words is found on its line in chunks of %i bytes", (chunk) => {
  expect(scan(all, chunk).toSorted((a, b) => (a[1] ?? 0) - (b[1] ?? 0))).toEqual([
    ["python-os-system", 2],
    ["python-subprocess", 3],
    ["python-exec", 4],
    ["python-eval", 5],
    ["python-import", 6],
  ]);
});

test("each is critical and told once for a line, twenty times for a file", () => {
  expect(scan("eval(eval(eval('x')))", 4)).toEqual([["python-eval", 1]]);
  expect(scan("eval('x')\n".repeat(100), 64)).toHaveLength(20);
  const words = new PythonWords("long.py");
  words.push(Buffer.from("eval("));
  expect(words.end()).toMatchObject([{ severity: "critical", file: "long.py", line: 1 }]);
});

test("no word pushes another out", () => {
  const rules = scan(`${"eval('x')\n".repeat(100)}os.system('ls')\n`, 64).map(([rule]) => rule);
  expect(rules).toHaveLength(20);
  expect(rules).toContain("python-os-system");
});

test("chunks make no difference", () => {
  const part = fc.constantFrom("eval(", "exec", "(", "\n", "__import__", "os.sys", "tem", "x ");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 14 }), fc.integer({ min: 1, max: 20 }), (parts, chunk) => {
      const text = parts.join("");
      const order = (found: ReturnType<typeof scan>): readonly string[] => found.map((hit) => hit.join(" ")).sort();
      expect(order(scan(text, chunk))).toEqual(order(scan(text, 10_000)));
    }),
  );
});
