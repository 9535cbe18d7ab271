const maxBytes = 64 * 1024;
/** For the note where the middle was cut, and for the characters that were cut in two. */
const reserveBytes = 512;
const partBytes = (maxBytes - reserveBytes) / 2;

/** Control characters but newline and tab, and those that turn the direction of text. */
const unwanted = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Keeps the head and the tail of what is written to it, in the same memory however much it is. */
export class OutputLog {
  readonly #head = Buffer.alloc(partBytes);
  readonly #tail = Buffer.alloc(partBytes);
  #headBytes = 0;
  /** All that came behind the head; the tail is a ring. */
  #rest = 0;

  write(chunk: Uint8Array): void {
    const intoHead = Math.min(chunk.length, partBytes - this.#headBytes);
    this.#head.set(chunk.subarray(0, intoHead), this.#headBytes);
    this.#headBytes += intoHead;
    const behind = chunk.subarray(intoHead);
    this.#rest += behind.length;
    const kept = behind.subarray(Math.max(0, behind.length - partBytes));
    const at = (this.#rest - kept.length) % partBytes;
    const untilEnd = Math.min(kept.length, partBytes - at);
    this.#tail.set(kept.subarray(0, untilEnd), at);
    this.#tail.set(kept.subarray(untilEnd), 0);
  }

  /** A line of the registry's own. */
  note(line: string): void {
    this.write(Buffer.from(`${line}\n`));
  }

  /** At most 64 KiB of well-formed UTF-8. */
  text(): string {
    const head = this.#head.subarray(0, this.#headBytes);
    if (this.#rest <= partBytes) {
      const whole = clean(Buffer.concat([head, this.#tail.subarray(0, this.#rest)]));
      return whole.length <= maxBytes ? whole.toString() : joined(whole, whole, whole.length - 2 * partBytes);
    }
    const at = this.#rest % partBytes;
    const tail = Buffer.concat([this.#tail.subarray(at), this.#tail.subarray(0, at)]);
    return joined(clean(head), clean(tail), this.#rest - partBytes);
  }
}

/** A replacement character takes more bytes than what it replaces. */
const clean = (bytes: Buffer): Buffer => Buffer.from(bytes.toString("utf8").replace(unwanted, ""));

/** The start of `head` and the end of `tail`, without the characters that this cuts in two. */
function joined(head: Buffer, tail: Buffer, cutBytes: number): string {
  const start = head.subarray(0, partBytes).toString("utf8");
  const end = tail.subarray(Math.max(0, tail.length - partBytes)).toString("utf8");
  const note = `\n[… ${cutBytes} bytes were cut here …]\n`;
  return start.replace(/\ufffd{1,3}$/u, "") + note + end.replace(/^\ufffd{1,3}/u, "");
}
