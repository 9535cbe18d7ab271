import { type FieldError, isPluginName, type PluginName, pluginNotFound, RegistryError } from "@registry/domain";
import { z } from "zod";

/** The plugin that a path names; what cannot be a name is not found, like everything else that is not there. */
export function pluginName(text: string | undefined): PluginName {
  if (text === undefined || !isPluginName(text)) throw pluginNotFound();
  return text;
}

const once = "is given more than once; give it once";

/** A query parameter of text. */
export function textParameter(longest: number): z.ZodType<string | undefined> {
  return z.string({ error: once }).max(longest, `is longer than ${longest} characters`).optional();
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
    .pipe(
      z.array(z.string().max(longest, `is longer than ${longest} characters`)).max(most, `more than ${most} of them`),
    );
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

/** A parameter that is said with `true` or `1`, and denied with `false`, `0` or silence. */
export function flagParameter(): z.ZodType<boolean> {
  return choiceParameter(["true", "1", "false", "0"])
    .transform((value) => value === "true" || value === "1")
    .pipe(z.boolean())
    .meta({ default: false });
}

function fieldOf(issue: z.core.$ZodIssue): FieldError {
  const pointer = `/${issue.path.map((part) => String(part).replaceAll("~", "~0").replaceAll("/", "~1")).join("/")}`;
  return { pointer: issue.path.length === 0 ? "" : pointer, reason: reasonOf(issue) };
}

/** Never echoes what came in, as the schema library's own texts for unknown keys would. */
function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return "holds a key that is not known here";
  return issue.message;
}

/**
 * Reads what a client sent.
 * @throws kind `invalid_argument`, reason `INVALID_QUERY` or `INVALID_BODY`, with one field error for each violation
 */
export function readInput<S extends z.ZodType>(schema: S, value: unknown, where: "query" | "body"): z.output<S> {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const fields = read.error.issues.slice(0, 20).map(fieldOf);
  const texts = fields.map(({ pointer, reason }) => `${pointer === "" ? where : pointer.slice(1)}: ${reason}`);
  throw new RegistryError("invalid_argument", where === "query" ? "INVALID_QUERY" : "INVALID_BODY", texts.join("; "), {
    fields,
  });
}
