import fc from "fast-check";
import type { ApiDocument, Schema } from "./document.ts";

const anyText = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ minLength, maxLength }),
    fc.string({ unit: "binary", minLength, maxLength: Math.max(minLength, Math.min(maxLength, 40)) }),
    fc.constant("0".repeat(maxLength)),
  );

/** What looks ahead in a pattern cannot be made, but what was made can be looked at. */
function ofPattern(pattern: string): fc.Arbitrary<string> {
  return fc.stringMatching(new RegExp(pattern.replace(/\(\?!.*?\)\)/g, ""), "u"), { size: "medium" });
}

function texts(schema: Schema): fc.Arbitrary<unknown> {
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as unknown[]));
  if (schema.format === "date-time") return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  if (typeof schema.pattern === "string") return ofPattern(schema.pattern);
  return anyText(Number(schema.minLength ?? 0), Number(schema.maxLength ?? 100));
}

function objects(schema: Schema): fc.Arbitrary<unknown> {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, Schema>>;
  const requiredKeys = (schema.required ?? []) as string[];
  const named = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, likely(property)])),
    { requiredKeys },
  );
  const { propertyNames, additionalProperties } = schema as { propertyNames?: Schema; additionalProperties?: Schema };
  if (propertyNames === undefined || additionalProperties === undefined) return named;
  return fc.dictionary(likely(propertyNames).map(String), likely(additionalProperties), {
    minKeys: Number(schema.minProperties ?? 0),
    maxKeys: Math.min(3, Number(schema.maxProperties ?? 3)),
  });
}

/** Nearly always fits the schema: what `not` and lengths beside patterns rule out is for the caller to drop. */
function likely(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.type === undefined && Array.isArray(schema.anyOf))
    return fc.oneof(...(schema.anyOf as Schema[]).map(likely));
  switch (schema.type) {
    case "integer":
      return fc.integer({ min: Number(schema.minimum ?? 0), max: Number(schema.maximum ?? 1000) });
    case "boolean":
      return fc.boolean();
    case "array": {
      const bounds = { minLength: Number(schema.minItems ?? 0), maxLength: Math.min(4, Number(schema.maxItems ?? 4)) };
      return fc.array(likely(schema.items as Schema), bounds);
    }
    case "object":
      return objects(schema);
    default:
      return texts(schema);
  }
}

/** Values that fit. */
export function fitting(document: ApiDocument, schema: Schema): fc.Arbitrary<unknown> {
  return likely(schema).filter((value) => document.complaint(schema, value) === undefined);
}

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom("", " ", "\0", "../..", "%00", "{{7*7}}", "' OR 1=1 --", "\u202e", "x".repeat(5000), -1, 1e99, null),
);

/** One place of a value that is something else, is gone, or has come in addition. */
function spoilt(value: unknown, other: unknown, at: number): unknown {
  if (typeof value !== "object" || value === null) return other;
  if (Array.isArray(value)) {
    return value.length === 0 ? [other] : value.map((item, i) => (i === at % value.length ? other : item));
  }
  const keys = Object.keys(value);
  const key = keys[at % (keys.length + 1)];
  if (key === undefined) return { ...value, [typeof other === "string" ? other.slice(0, 20) : "is_admin"]: other };
  const { [key]: held, ...rest } = value as Record<string, unknown>;
  return at % 3 === 0 ? rest : { ...rest, [key]: spoilt(held, other, at >> 2) };
}

/** Values that do not fit, most of them by a little. */
export function unfitting(document: ApiDocument, schema: Schema): fc.Arbitrary<unknown> {
  return fc
    .oneof({ weight: 4, arbitrary: fc.tuple(likely(schema), odd, fc.nat(1000)).map((args) => spoilt(...args)) }, odd)
    .filter((value) => document.complaint(schema, value) !== undefined);
}
