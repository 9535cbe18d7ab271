import { type FieldError, quote, RegistryError } from "@registry/domain";

/** Collects every broken rule of one manifest, so that an author sees all of them at once. */
export class Violations {
  readonly #file: string;
  readonly #fields: FieldError[] = [];

  /** `file` is the manifest's path in the package. */
  constructor(file: string) {
    this.#file = file;
  }

  get count(): number {
    return this.#fields.length;
  }

  /** `pointer` is a JSON pointer into the manifest; `reason` says what was found and what is allowed. */
  add(pointer: string, reason: string): void {
    if (this.#fields.length < 100) this.#fields.push({ pointer, reason });
  }

  found(pointer: string, value: string, allowed: string): void {
    this.add(pointer, `${quote(value)} is not allowed; ${allowed}`);
  }

  /** Throws `rejected` INVALID_MANIFEST with all of them, if there are any. */
  check(): void {
    const [first] = this.#fields;
    if (first === undefined) return;
    const more = this.#fields.length === 1 ? "" : ` (and ${this.#fields.length - 1} more)`;
    const where = first.pointer === "" ? "" : ` ${shown(first.pointer)}:`;
    throw new RegistryError("rejected", "INVALID_MANIFEST", `${this.#file}:${where} ${first.reason}${more}`, {
      fields: this.#fields,
    });
  }
}

function shown(pointer: string): string {
  return quote(pointer.slice(1).replaceAll("/", ".")).slice(1, -1);
}

/** One part of a JSON pointer (RFC 6901), cut where a hostile key would make it endless. */
export function pointerPart(key: string | number): string {
  return String(key).slice(0, 128).replaceAll("~", "~0").replaceAll("/", "~1");
}

/** True for an absolute http or https URL with a host and without white space, of at most 2,048 characters. */
export function isWebUrl(text: string): boolean {
  if (text.length > 2048 || !/^https?:\/\/[^\s\p{Cc}\\]+$/iu.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && url.hostname !== "" && (url.protocol === "http:" || url.protocol === "https:");
}
