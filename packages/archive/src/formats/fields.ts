import { isNull, Plain, type Value } from "../text/value.ts";
import { isWebUrl, pointerPart, type Violations } from "./violations.ts";

export type Fields = ReadonlyMap<string, Value>;

export interface TextRule {
  readonly matches?: (text: string) => boolean;
  /** Ends the sentence "… is not allowed; …". */
  readonly allowed?: string;
  readonly longest?: number;
}

/** Reads typed fields of one map of a YAML manifest; what does not fit goes to `violations`. */
export class FieldReader {
  readonly #fields: Fields;
  readonly #at: string;
  readonly #violations: Violations;

  constructor(fields: Fields, at: string, violations: Violations) {
    this.#fields = fields;
    this.#at = at;
    this.#violations = violations;
  }

  pointer(key: string): string {
    return `${this.#at}/${pointerPart(key)}`;
  }

  /** Undefined where it is absent, null or in violation. */
  text(key: string, rule: TextRule = {}): string | undefined {
    const value = this.#fields.get(key);
    if (value === undefined || isNull(value)) return undefined;
    return this.#checkText(value, this.pointer(key), rule);
  }

  requiredText(key: string, rule: TextRule = {}): string {
    const value = this.#fields.get(key);
    if (value === undefined || isNull(value)) this.#missing(key);
    const text = this.text(key, rule);
    if (text !== undefined && text.trim() === "") this.#violations.add(this.pointer(key), "is empty; give it a text");
    return text ?? "";
  }

  url(key: string): string | undefined {
    return this.text(key, { matches: isWebUrl, allowed: "use an absolute http or https URL" });
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const chosen = choices.find((choice) => choice === text);
    if (chosen === undefined) this.#violations.found(this.pointer(key), text, `use one of ${choices.join(", ")}`);
    return chosen;
  }

  requiredChoice<T extends string>(key: string, choices: readonly T[]): T | undefined {
    if (isNull(this.#fields.get(key))) this.#missing(key, `; use one of ${choices.join(", ")}`);
    return this.choice(key, choices);
  }

  /** Spellings of YAML 1.1 are understood too, since the client's own parser reads that. */
  flag(key: string): boolean | undefined {
    const value = this.#fields.get(key);
    if (value === undefined || isNull(value)) return undefined;
    const text = value instanceof Plain ? value.text.toLowerCase() : "";
    if (/^(?:true|yes|on)$/.test(text)) return true;
    if (!/^(?:false|no|off)$/.test(text)) this.#violations.add(this.pointer(key), "is not a flag; use true or false");
    return false;
  }

  texts(key: string): string[] {
    return this.#list(key).map((value, index) => this.#checkText(value, `${this.pointer(key)}/${index}`, {}) ?? "");
  }

  maps(key: string): FieldReader[] {
    const readers: FieldReader[] = [];
    for (const [index, value] of this.#list(key).entries()) {
      const at = `${this.pointer(key)}/${index}`;
      if (value instanceof Map) readers.push(new FieldReader(value, at, this.#violations));
      else this.#violations.add(at, "is not a map of keys and values");
    }
    return readers;
  }

  map(key: string): FieldReader | undefined {
    const value = this.rawMap(key);
    return value === undefined ? undefined : new FieldReader(value, this.pointer(key), this.#violations);
  }

  requiredMap(key: string): FieldReader | undefined {
    if (isNull(this.#fields.get(key))) this.#missing(key);
    return this.map(key);
  }

  rawMap(key: string): Fields | undefined {
    const value = this.#fields.get(key);
    if (value === undefined || isNull(value)) return undefined;
    if (value instanceof Map) return value;
    this.#violations.add(this.pointer(key), "is not a map of keys and values");
    return undefined;
  }

  /** The value of a key that must be written, even if as null. */
  requiredRaw(key: string): Value {
    const value = this.#fields.get(key);
    if (value === undefined) this.#missing(key, " (null is allowed)");
    return value ?? null;
  }

  get raw(): Fields {
    return this.#fields;
  }

  #missing(key: string, hint = ""): void {
    this.#violations.add(this.pointer(key), `is required${hint}`);
  }

  #list(key: string): readonly Value[] {
    const value = this.#fields.get(key);
    if (value === undefined || isNull(value)) return [];
    if (Array.isArray(value)) return value;
    this.#violations.add(this.pointer(key), "is not a list");
    return [];
  }

  #checkText(value: Value, pointer: string, rule: TextRule): string | undefined {
    const text = value instanceof Plain ? value.text : value;
    if (typeof text !== "string" || isNull(value)) {
      this.#violations.add(pointer, "is not a text");
      return undefined;
    }
    const longest = rule.longest ?? Number.POSITIVE_INFINITY;
    const length = text.length > longest ? Array.from(text).length : text.length;
    if (length > longest) {
      this.#violations.add(pointer, `has ${length} characters; at most ${longest} are allowed`);
    } else if (rule.matches !== undefined && !rule.matches(text)) {
      this.#violations.found(pointer, text, rule.allowed ?? "use another value");
    }
    return text;
  }
}
