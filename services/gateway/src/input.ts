import {
  type FieldError,
  isLongerThan,
  isPlainText,
  isPluginName,
  type PluginName,
  plainTextPattern,
  plainTextRule,
  pluginNotFound,
  quote,
  RegistryError,
  saidTextPattern,
} from "@registry/domain";
import { z } from "zod";

/** The plugin that a path names; what cannot be a name is not found, like everything else that is not there. */
export function pluginName(text: string | undefined): PluginName {
  if (text === undefined || !isPluginName(text)) throw pluginNotFound();
  return text;
}

const mostTold = 20;
const once = "is given more than once; give it once";

/**
 * A text of some characters, counted as people count them.
 * @param expected what is told where it is no text or too long
 */
export function shortText(longest: number, expected = `is longer than ${longest} characters`): z.ZodString {
  return z
    .string()
    .refine((text) => !isLongerThan(text, longest), expected)
    .meta({ maxLength: longest });
}

/** A query parameter of text. @param pattern what the service that judges it takes, for the document */
export function textParameter(longest: number, pattern?: string): z.ZodType<string | undefined> {
  return z
    .string({ error: once })
    .refine((text) => !isLongerThan(text, longest), `is longer than ${longest} characters`)
    .meta({ maxLength: longest, ...(pattern === undefined ? {} : { pattern }) })
    .optional();
}

export function integerParameter(min: number, max: number, fallback: number): z.ZodType<number> {
  const message = `expected a whole number from ${min} to ${max}`;
  return z
    .string({ error: once })
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .pipe(z.int().min(min, message).max(max, message))
    .optional()
    .transform((value) => value ?? fallback)
    .pipe(z.int().min(min).max(max))
    .meta({ default: fallback });
}

/** A parameter that may be repeated. */
export function listParameter(longest: number, most: number): z.ZodType<string[]> {
  return z
    .union([z.string(), z.array(z.string())])
    .optional()
    .transform((value) => (value === undefined ? [] : [value].flat()).filter((item) => item !== ""))
    .pipe(z.array(shortText(longest)).max(most, `more than ${most} of them`));
}

export function choiceParameter<const T extends readonly [string, ...string[]]>(
  values: T,
): z.ZodType<T[number] | undefined> {
  return z
    .enum(values, {
      error: (issue) => (Array.isArray(issue.input) ? once : `expected one of ${values.join(", ")}`),
    })
    .optional();
}

/** A moment as RFC 3339 writes it, with `Z` or an offset. */
export function timeParameter(): z.ZodType<Date | undefined> {
  const expected = "expected a time as RFC 3339 has it, such as 2026-01-31T08:00:00Z";
  return z
    .string({ error: once })
    .pipe(z.iso.datetime({ offset: true, error: expected }))
    .meta({ format: "date-time" })
    .optional()
    .transform((text) => (text === undefined ? undefined : new Date(text)))
    .pipe(z.date().optional())
    .meta({ type: "string", format: "date-time" });
}

/** Why somebody deletes something, in a query. */
export function reasonParameter(): z.ZodType<string | undefined> {
  return textParameter(500, plainTextPattern).refine((text) => text === undefined || isPlainText(text), plainTextRule);
}

/**
 * A short text in a body, written by a person for people.
 * @param expected what is told where it is no text, too short or too long
 */
export function plainText(min: number, max: number, expected: string): z.ZodString {
  return z
    .string(expected)
    .refine((text) => (min === 0 || text.trim() !== "") && !isLongerThan(text, max), expected)
    .refine(isPlainText, plainTextRule)
    .meta({ minLength: min, maxLength: max, pattern: min === 0 ? plainTextPattern : saidTextPattern });
}

/** How a flag is spelt, in queries and forms. */
export const flagWords = ["true", "1", "false", "0"] as const;

export const isYes = (word: (typeof flagWords)[number]): boolean => word === "true" || word === "1";

/** A parameter that is said with `true` or `1`, and denied with `false` or `0`; undefined where nothing was said. */
export function flagParameter(): z.ZodType<boolean | undefined> {
  return choiceParameter(flagWords)
    .transform((word) => (word === undefined ? undefined : isYes(word)))
    .pipe(z.boolean().optional())
    .meta({ default: false });
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

interface Told extends FieldError {
  /** What the message says before the reason. */
  readonly name: string;
}

function toldOf(issue: z.core.$ZodIssue, known: readonly string[], where: string): Told[] {
  if (issue.code === "invalid_union") {
    // Of several forms, the one whose outermost shape was right was meant.
    const meant = issue.errors.find((issues) =>
      issues.every(({ code, path }) => code !== "invalid_type" || path.length > 0),
    );
    if (meant !== undefined) return meant.flatMap((inner) => toldOf(inner, known, where));
  }
  if (issue.code !== "unrecognized_keys") {
    const pointer = pointerOf(issue.path);
    return [{ name: pointer === "" ? where : pointer.slice(1), pointer, reason: issue.message }];
  }
  return issue.keys.map((key) => ({
    name: quote(key),
    // What nobody could have meant is not echoed whole.
    pointer: pointerOf(/^[\w.-]{0,64}$/.test(key) ? [...issue.path, key] : issue.path),
    reason: `is not known here; known: ${known.join(", ")}`,
  }));
}

function keysOf(schema: z.ZodType): string[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysOf(option as z.ZodType));
  if (schema instanceof z.ZodArray) return keysOf(schema.element as z.ZodType);
  if (schema instanceof z.ZodOptional) return keysOf(schema.unwrap() as z.ZodType);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/**
 * Reads what a client sent.
 * @throws kind `invalid_argument`, reason `INVALID_QUERY` or `INVALID_BODY`, with one field error for each violation
 */
export function readInput<S extends z.ZodType>(schema: S, value: unknown, where: "query" | "body"): z.output<S> {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const told = read.error.issues.flatMap((issue) => toldOf(issue, keysOf(schema), where)).slice(0, mostTold);
  const message = told.map(({ name, reason }) => (name.startsWith('"') ? `${name} ${reason}` : `${name}: ${reason}`));
  throw new RegistryError(
    "invalid_argument",
    where === "query" ? "INVALID_QUERY" : "INVALID_BODY",
    message.join("; "),
    {
      fields: told.map(({ pointer, reason }) => ({ pointer, reason })),
    },
  );
}
