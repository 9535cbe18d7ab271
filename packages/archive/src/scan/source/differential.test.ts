import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hasTool, python } from "../../test-support/tools.ts";
import { scanSource } from "./index.ts";

const there = hasTool("python3", ["--version"]);
const needed = there || process.env.CI !== undefined;
const count = Number(process.env.ARCHIVE_PYTHON_FILES ?? 150);
const seed = Number(process.env.ARCHIVE_SEED ?? 20260101);

/** Lines of plain calls and attributes, as the language's own parser sees them, in files of its standard library. */
const script = `
import ast, json, os, random, sys, warnings
warnings.simplefilter("ignore")
names = {"eval": "python-eval", "exec": "python-exec", "__import__": "python-import"}
attributes = {("os", "system"): "python-os-system", ("subprocess", "run"): "python-subprocess"}
top = os.path.dirname(os.__file__)
files = []
for folder, folders, members in os.walk(top):
    folders[:] = sorted(f for f in folders if f not in ("site-packages", "__pycache__"))
    files += [os.path.join(folder, f) for f in sorted(members) if f.endswith(".py")]
random.Random(int(sys.argv[1])).shuffle(files)
answer = []
for path in files:
    with open(path, "rb") as file:
        source = file.read()
    if len(source) > 150000 or not any(word in source for word in (b"eval(", b"exec(", b"__import__(", b"os.system", b"subprocess.run")):
        continue
    try:
        tree = ast.parse(source)
        source.decode("utf-8")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        continue
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            found.append([names[node.func.id], node.func.lineno])
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            rule = attributes.get((node.value.id, node.attr))
            if rule:
                found.append([rule, node.lineno])
    answer.append([path, found])
    if len(answer) >= int(sys.argv[2]):
        break
print(json.dumps(answer))
`;

test.runIf(needed)("every plain call that CPython sees is found", () => {
  const files: [string, [string, number][]][] = JSON.parse(python(script, [String(seed), String(count)]).toString());
  const missing: string[] = [];
  let seen = 0;
  for (const [path, calls] of files) {
    const findings = scanSource("python", readFileSync(path, "utf8"), path);
    const lines = new Set(findings.map(({ rule, line }) => `${rule} ${line}`));
    // Beyond twenty findings the rest of the file is not listed.
    if (findings.length < 20)
      for (const [rule, line] of calls) if (!lines.has(`${rule} ${line}`)) missing.push(`${path}:${line} ${rule}`);
    seen += calls.length;
  }
  expect(missing).toEqual([]);
  expect(files.length).toBeGreaterThan(Math.min(count, 60) - 1);
  expect(seen).toBeGreaterThan(files.length);
});
