import fc from "fast-check";
import { multipart, type Part } from "../builders/form.ts";
import { pluginZip } from "../builders/plugin.ts";
import type { ApiDocument, Operation, Parameter, Schema } from "./document.ts";
import { fitting, unfitting } from "./values.ts";

/** One request as it is sent, and what is known about it. */
export interface Case {
  readonly url: string;
  readonly body: Uint8Array | string | undefined;
  readonly type: string | undefined;
  /** `broken`: a part of it does not fit the document; `odd`: nothing is known. */
  readonly kind: "fitting" | "broken" | "odd";
}

/** Values of path parameters that lead somewhere. */
export type Known = Readonly<Record<string, readonly string[]>>;

type Query = readonly (readonly [string, string])[];

const urlOf = (path: string, parts: Readonly<Record<string, string>>, query: Query): string => {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parts[name] ?? ""));
  return query.length === 0
    ? filled
    : `${filled}?${new URLSearchParams(query.map(([name, value]): [string, string] => [name, value]))}`;
};

/** Lone surrogates cannot be written into an address. */
const asText = (value: unknown): string => String(value).toWellFormed();

function spelt(name: string, value: unknown): Query {
  return Array.isArray(value) ? value.map((item) => [name, asText(item)] as const) : [[name, asText(value)]];
}

/** As a query says it, where everything is text, a value that does not fit may fit after all. */
function fits(document: ApiDocument, schema: Schema, query: Query): boolean {
  const texts = query.map(([, text]) => text);
  if (schema.type === "array") return document.complaint(schema, texts) === undefined || texts.includes("");
  const [text = ""] = texts;
  const value = schema.type === "integer" && /^\d+$/.test(text) ? Number(text) : text;
  return texts.length < 2 && document.complaint(schema, value) === undefined;
}

function queryOf(document: ApiDocument, parameters: readonly Parameter[]): fc.Arbitrary<Query> {
  const each = parameters.map(({ name, schema }) =>
    fc.option(
      fitting(document, schema).map((value) => spelt(name, value)),
      { nil: [] as Query },
    ),
  );
  return fc.tuple(...each).map((lists) => lists.flat());
}

function brokenQuery(document: ApiDocument, parameters: readonly Parameter[]): fc.Arbitrary<Query> {
  const each = parameters.map(({ name, schema }) =>
    unfitting(document, schema)
      .map((value) => spelt(name, typeof value === "object" ? "[object]" : value))
      .filter((query) => query.length > 0 && !fits(document, schema, query)),
  );
  return fc.oneof(...each);
}

function partsOf(document: ApiDocument, parameters: readonly Parameter[], known: Known) {
  const each = parameters.map(({ name, schema }) => {
    const made = fitting(document, schema).map(asText);
    const leading = known[name] ?? [];
    return [name, leading.length === 0 ? made : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...leading) }, made)];
  });
  return fc.record(Object.fromEntries(each) as Record<string, fc.Arbitrary<string>>);
}

function oddParts(parameters: readonly Parameter[]): fc.Arbitrary<Record<string, string>> {
  const text = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 60 }),
    fc.constantFrom("%", "a/b", "@a", "@/", "@a/b/c", "\0", "..%2f", "~", "*", "constructor", "__proto__", "𝟙"),
  );
  return fc.record(Object.fromEntries(parameters.map(({ name }) => [name, text])));
}

interface Body {
  readonly body: Uint8Array | string | undefined;
  readonly type: string | undefined;
}

const none: Body = { body: undefined, type: undefined };
const json = (value: unknown): Body => ({ body: JSON.stringify(value), type: "application/json" });

const archive = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.constant(pluginZip({ name: "fuzzed" })),
  fc.nat(999).map((patch) => pluginZip({ name: "fuzzed", version: `0.0.${patch}` })),
);

function formOf(value: unknown): fc.Arbitrary<Body> {
  return archive.map((bytes) => {
    const fields = Object.entries(value as Record<string, unknown>).map(([field, held]): Part => {
      const isFile = field === "package" || field === "manifest";
      return { field, content: isFile ? bytes : String(held), ...(isFile ? { filename: "it" } : {}) };
    });
    const { body, headers } = multipart(fields);
    return { body, type: headers["content-type"] };
  });
}

function bodyOf(document: ApiDocument, { body }: Operation): fc.Arbitrary<Body> {
  if (body === undefined) return fc.constant(none);
  const value = fitting(document, body.schema);
  if (body.type === "multipart/form-data") return value.chain(formOf);
  return body.required ? value.map(json) : fc.oneof(value.map(json), fc.constant(none));
}

const oddBody: fc.Arbitrary<Body> = fc.oneof(
  fc.json({ maxDepth: 5 }).map((body) => ({ body, type: "application/json" })),
  fc.string({ maxLength: 30 }).map((body) => ({ body, type: "application/json" })),
  fc.constantFrom(
    json({ reason: "\ud800", message: "\udc00", name: "\ud800", username: "\ud800", password: "\ud800 and more" }),
    { body: '{"__proto__":{"role":"admin"}}', type: "application/json" },
    { body: `${"[".repeat(20_000)}${"]".repeat(20_000)}`, type: "application/json" },
    { body: `"${"x".repeat(70_000)}"`, type: "application/json" },
    { body: "a=b", type: "application/x-www-form-urlencoded" },
    { body: "<a/>", type: "application/xml" },
    { body: "--x\r\n", type: "multipart/form-data; boundary=x" },
    { body: "{}", type: "multipart/form-data" },
    { body: "{}", type: "" },
  ),
);

/** Requests for an operation: such as the document describes, such as it rules out, and whatever else there is. */
export function casesOf(document: ApiDocument, operation: Operation, known: Known): fc.Arbitrary<Case> {
  const { path, parameters, body, method } = operation;
  const inPath = parameters.filter((parameter) => parameter.in === "path");
  const inQuery = parameters.filter((parameter) => parameter.in === "query");
  const parts = partsOf(document, inPath, known);
  // What a form says as well, the query must not contradict.
  const query = queryOf(document, body?.type === "multipart/form-data" ? [] : inQuery);
  const made = (
    kind: Case["kind"],
    ...[someParts, someQuery, someBody]: [fc.Arbitrary<Record<string, string>>, fc.Arbitrary<Query>, fc.Arbitrary<Body>]
  ): fc.Arbitrary<Case> =>
    fc
      .tuple(someParts, someQuery, someBody)
      .map(([filled, asked, sent]) => ({ url: urlOf(path, filled, asked), ...sent, kind }));
  const fine = bodyOf(document, operation);
  const cases = [
    made("fitting", parts, query, fine),
    made(
      "odd",
      inPath.length === 0 ? parts : oddParts(inPath),
      fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 3 }),
      method === "GET" ? fc.constant(none) : oddBody,
    ),
  ];
  if (inQuery.length > 0) cases.push(made("broken", parts, brokenQuery(document, inQuery), fine));
  if (body !== undefined && body.type === "application/json") {
    cases.push(made("broken", parts, query, unfitting(document, body.schema).map(json)));
  }
  return fc.oneof(...cases);
}
