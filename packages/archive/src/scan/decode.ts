/** Texts by their names: a zero byte somewhere does not make them binary. */
const textFile =
  /\.(?:txt|md|mdx|markdown|rst|json|jsonl|ya?ml|toml|ini|cfg|conf|config|env|properties|xml|html?|css|csv|tsv|log|pem|key|crt|cer|asc|sh|bash|zsh|ps1|bat|cmd|tf|tfvars|gradle|rb|go|rs|java|kt|php|pl|lua|sql|ipynb|vue|svelte|pth)$|(?:^|\/)(?:\.[\w.-]{1,60}|[^./]{1,100})$/i;

const UTF16_LE = Buffer.from([0xff, 0xfe]);
const UTF16_BE = Buffer.from([0xfe, 0xff]);

function utf16(head: Buffer): "utf-16le" | "utf-16be" | undefined {
  const mark = head.subarray(0, 2);
  if (mark.equals(UTF16_LE)) return "utf-16le";
  return mark.equals(UTF16_BE) ? "utf-16be" : undefined;
}

/** Whether a file is looked at as a text, by its bytes or its name (also one without extension). */
export function isTextual(head: Buffer, path: string): boolean {
  return !head.includes(0) || utf16(head) !== undefined || textFile.test(path);
}

/**
 * The text as editors and agents read it: UTF-16 by its byte order mark, else UTF-8.
 * @param plain the same bytes taken for UTF-8
 */
export function decoded(head: Buffer, plain: string): string {
  const encoding = utf16(head);
  return encoding === undefined ? plain : new TextDecoder(encoding).decode(head);
}

/** The end of what passes by; holds at most twice as much. */
export class LastBytes {
  readonly #most: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  push(chunk: Buffer): void {
    const part = chunk.subarray(Math.max(0, chunk.length - this.#most));
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length >= 2 * this.#most) this.#parts = [this.get()];
  }

  get(): Buffer {
    const all = Buffer.concat(this.#parts);
    const end = Buffer.from(all.subarray(Math.max(0, all.length - this.#most)));
    this.#length = end.length;
    this.#parts = [end];
    return end;
  }
}
