import { isVersion, quote } from "@registry/domain";
import { z } from "zod";
import type { Author, Finding } from "../inspection.ts";
import { present } from "../present.ts";
import type { Json, JsonObject } from "../text/value.ts";
import { isWebUrl, pointerPart, type Violations } from "./violations.ts";

/** Parses with a zod schema; what does not fit becomes violations, and the result is then undefined. */
export function fit<T>(schema: z.ZodType<T>, value: JsonObject, violations: Violations): T | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) violations.add(pointerOf(issue.path), issueText(issue));
  return undefined;
}

/** The library's own text names unknown keys as they are; here they are shown escaped and short. */
export function issueText(issue: z.core.$ZodIssue): string {
  return issue.code === "unrecognized_keys"
    ? `has a field that is not allowed: ${quote(issue.keys[0] ?? "")}`
    : issue.message;
}

export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${pointerPart(String(key))}`).join("");
}

/** A version that the registry can order: Semantic Versioning without build metadata. */
export const versionField = z
  .string()
  .refine(isVersion, { error: "is not a version; use MAJOR.MINOR.PATCH without build metadata, e.g. 1.2.0" });

export const descriptionField = (longest: number) =>
  z.string().max(longest, { error: `has more than ${longest} characters; shorten it` });

/** One finding for each key that the format does not define. */
export function unknownFields(value: JsonObject, known: readonly string[], file: string): readonly Finding[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .slice(0, 50)
    .map((key) => ({
      rule: "unknown-field",
      severity: "medium",
      message: "This field is not part of the format and is ignored",
      file,
      pointer: `/${pointerPart(key)}`,
    }));
}

/** The URL where it is one that may be linked to; repository prefixes of npm are taken off. */
export function webUrl(value: Json | undefined): string | undefined {
  if (typeof value !== "string") return undefined;
  const plain = value.replace(/^git\+/, "");
  return isWebUrl(plain) ? plain : undefined;
}

/** Understands an object and npm's short form `Name <email> (url)`. */
export function authorOf(value: Json | undefined): Author | undefined {
  if (typeof value === "string") {
    const [, name = "", email, url] =
      /^([^<(]{0,200})(?:<([^>]{0,320})>)?[ \t]*(?:\(([^)]{0,2048})\))?/.exec(value) ?? [];
    return name.trim() === "" ? undefined : present({ name: name.trim(), email, url: webUrl(url) });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { name, email, url } = value as JsonObject;
  if (typeof name !== "string" || name.trim() === "") return undefined;
  return present({ name, email: typeof email === "string" ? email : undefined, url: webUrl(url) });
}

export function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** The texts of a list, without repetitions; anything else in it is passed over. */
export function textsOf(value: Json | undefined): readonly string[] {
  const items: readonly Json[] = Array.isArray(value) ? value : [];
  return [...new Set(items.filter((item): item is string => typeof item === "string" && item.trim() !== ""))];
}
