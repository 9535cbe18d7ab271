import { isRegistryError } from "@registry/domain";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJsonObject } from "./json.ts";
import { toJson } from "./value.ts";
import { parseYaml } from "./yaml.ts";

function reason(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (isRegistryError(error)) return error.reason;
    throw error;
  }
}
const yaml = (text: string): unknown => toJson(parseYaml(text, "a.yaml"));
const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);

describe("YAML", () => {
  test("keeps texts and types apart as YAML 1.2 does", () => {
    expect(yaml("a: no\nb: yes\nc: true\nd: 3\ne: 1.5\nf: 0x1f\ng: ~\nh:\ni: '3'\nj: 1.2.3\nk: 1e3\nl: .inf")).toEqual({
      a: "no",
      b: "yes",
      c: true,
      d: 3,
      e: 1.5,
      f: 31,
      g: null,
      h: null,
      i: "3",
      j: "1.2.3",
      k: 1000,
      l: ".inf",
    });
  });
  test("keeps what JSON cannot carry exactly as a text", () => {
    expect(yaml("- 123456789012345678901234567890\n- 12:30:45\n- 2024-01-01\n- 1_000")).toEqual([
      "123456789012345678901234567890",
      "12:30:45",
      "2024-01-01",
      "1_000",
    ]);
  });
  test("reads block scalars, comments, quotes, a byte order mark and !!str", () => {
    expect(
      yaml('\uFEFF# hi\n---\na: |\n  one\n  two\nb: >-\n  three\n  four\nc: "x\\ty"\nd: !!str 1.10\n...\n'),
    ).toEqual({
      a: "one\ntwo\n",
      b: "three four",
      c: "x\ty",
      d: "1.10",
    });
  });

  const refused: Readonly<Record<string, string>> = {
    "an anchor": "a: &x 1",
    "an alias": "a: &x 1\nb: *x",
    "a bomb of aliases": `a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]`,
    "a custom tag": "a: !foo 1",
    "a Python tag": "a: !!python/object/apply:os.system ['id']",
    "a binary tag": "a: !!binary aGk=",
    "a verbatim tag": "a: !<tag:yaml.org,2002:str> x",
    "a YAML directive": "%YAML 1.1\n---\na: 1",
    "a TAG directive": "%TAG ! tag:example.com,2000:\n---\na: 1",
    "two documents": "a: 1\n---\nb: 2",
    "a repeated key": "a: 1\na: 2",
    "a repeated key in two spellings": "a: 1\n'a': 2",
    "a merge key": "<<: {a: 1}",
    __proto__key: "__proto__: {a: 1}",
    "a constructor key": "a: {constructor: 1}",
    "a map as key": "? {a: 1}\n: 2",
    "a list as key": "[a]: 2",
    "an empty key": ": 2",
    "bad indentation": "a:\n  b: 1\n c: 2",
    "a tab as indentation": "a:\n\tb: 1",
    "an open quote": 'a: "b',
    "an open list": "a: [1, 2",
    "a bad escape": 'a: "\\q"',
    "deep lists": `a: ${nested(40, "[", "]")}`,
    "very deep lists": "[".repeat(60_000),
    "very deep maps": "{a: ".repeat(15_000),
    "very deep dashes": "- ".repeat(30_000),
    "very deep questions": "? ".repeat(30_000),
    "deep indentation": Array.from({ length: 300 }, (_, at) => `${" ".repeat(at)}a:`).join("\n"),
    "too many values": `[${"1,".repeat(20_000)}]`,
    "a NUL": 'a: "b\0"',
    "a control character in a comment": "a: 1 # \u0007",
    "a non-character": "a: \ufffe",
    "half a character": "a: \ud83d",
  };
  test.each(Object.entries(refused))("%s is refused", (_title, text) => {
    expect(reason(() => parseYaml(text, "a.yaml"))).toBe("INVALID_YAML");
  });

  test("an error names the file and the line, and echoes nothing long or raw", () => {
    expect(() => parseYaml("a: 1\nb: 2\na: 3", "plugin.yaml")).toThrow('plugin.yaml, line 3, gives the key "a" twice');
    const tag = `!${"\u202e".repeat(100)}`;
    const error: unknown = (() => {
      try {
        return parseYaml(`a: ${tag} x`, "plugin.yaml");
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(String(error)).not.toContain("\u202e");
  });

  test("no text makes it throw anything else", () => {
    const piece = fc.constantFrom(
      "a",
      ":",
      " ",
      "\n",
      "-",
      "[",
      "]",
      "{",
      "}",
      "&x",
      "*x",
      "!t",
      "|",
      ">",
      '"',
      "'",
      "#",
      "?",
      ",",
      "%",
      "\t",
      "é",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(piece, { maxLength: 60 }).map((all) => all.join("")),
        ),
        (text) => {
          expect(["accepted", "INVALID_YAML"]).toContain(reason(() => parseYaml(text, "a")));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("JSON", () => {
  test("is read as JSON.parse reads it", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify({ value });
        const expected = /"(?:__proto__|constructor|prototype)"/.test(text) ? undefined : JSON.parse(text);
        if (expected !== undefined) expect(parseJsonObject(text, "a.json")).toEqual(expected);
      }),
    );
  });
  test("a byte order mark is passed over", () => {
    expect(parseJsonObject('\uFEFF{"a":1}', "a.json")).toEqual({ a: 1 });
  });

  const refused: Readonly<Record<string, string>> = {
    "a repeated key": '{"a":1,"a":2}',
    "a repeated key, escaped": '{"a":1,"\\u0061":2}',
    "a repeated key further in": '{"b":[{"a":1,"c":{},"a":2}]}',
    "a __proto__ key": '{"__proto__":{"a":1}}',
    "an escaped __proto__ key": '{"\\u005f_proto__":{"a":1}}',
    "a constructor key": '{"a":{"constructor":1}}',
    "a list": "[1]",
    "a text": '"a"',
    "a comment": '{"a":1} // hi',
    "a trailing comma": '{"a":1,}',
    "two values": "{}{}",
    nothing: "",
    "deep nesting": `{"a":${nested(40, "[", "]")}}`,
    "very deep nesting": `{"a":${nested(30_000, "[", "]")}}`,
    "open nesting": '{"a":'.repeat(10_000),
    "open quotes": '"\\"'.repeat(20_000),
    "too many values": `{"a":[${"1,".repeat(31_000)}1]}`,
    "a number that nothing can hold": '{"a":[{"b":1e400}]}',
  };
  test.each(Object.entries(refused))("%s is refused", (_title, text) => {
    expect(reason(() => parseJsonObject(text, "a.json"))).toBe("INVALID_JSON");
  });
  test("the same key in two objects is no repetition", () => {
    expect(parseJsonObject('{"a":{"x":1},"b":[{"x":1},{"x":"a\\":"}]}', "a.json")).toBeDefined();
  });
});
