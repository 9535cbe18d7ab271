import { refused } from "../refuse.ts";

export const BLOCK = 512;

/** One header block of a POSIX ustar or old GNU tar, its fields checked for form. */
export interface TarHeader {
  readonly name: Buffer;
  readonly mode: number;
  readonly size: number;
  readonly type: string;
  readonly hasLink: boolean;
}

/**
 * Reads one header block strictly: what readers could understand in two ways is refused, so old (V7) headers,
 * signed checksums, base-256 sizes and bytes in unused parts are.
 */
export function readTarHeader(block: Buffer): TarHeader {
  const stored = octal(block, 148, 8);
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  if (stored !== sum) throw header("checksum does not match");
  const magic = block.toString("latin1", 257, 265);
  const posix = magic === "ustar\u000000";
  if (!posix && magic !== "ustar  \u0000") throw header("format is neither POSIX nor GNU");
  checkUnusedNumbers(block);
  const prefix = text(block, 345, posix ? 155 : 167);
  if (!posix && prefix.length > 0) throw header("uses the incremental GNU format");
  if (posix && block.subarray(500, BLOCK).some((byte) => byte !== 0)) throw header("has bytes after its last field");
  const short = text(block, 0, 100);
  return {
    name: prefix.length === 0 ? short : Buffer.concat([prefix, Buffer.from("/"), short]),
    mode: octal(block, 100, 8) & 0o777,
    size: octal(block, 124, 12),
    type: block[156] === 0 ? "0" : String.fromCharCode(block[156] ?? 0),
    hasLink: block[157] !== 0,
  };
}

/** Owners, time and device do not matter, but readers that parse them must not fail on them. */
function checkUnusedNumbers(block: Buffer): void {
  checkNumber(block, 108, 8, 4);
  checkNumber(block, 116, 8, 4);
  checkNumber(block, 136, 12, 6);
  octal(block, 329, 8);
  octal(block, 337, 8);
}

/** Octal, or GNU's base 256 in at most `significant` bytes: owners of 32 bits, times of 48. */
function checkNumber(block: Buffer, start: number, length: number, significant: number): void {
  const sign = block.subarray(start, start + length - significant);
  const positive = sign[0] === 0x80 && sign.subarray(1).every((byte) => byte === 0);
  const negative = significant > 4 && sign.every((byte) => byte === 0xff);
  if (!positive && !negative) octal(block, start, length);
}

function header(what: string): Error {
  return refused("TAR_HEADER", `A tar header ${what}; pack again with GNU tar, bsdtar, Python's tarfile or npm`);
}

/** Spaces, octal digits, then spaces or NULs to the end; an empty field is 0. */
function octal(block: Buffer, start: number, length: number): number {
  const field = block.toString("latin1", start, start + length);
  const digits = /^ *([0-7]*)[ \0]*$/.exec(field)?.[1];
  if (digits === undefined) throw header("has a number that is not octal");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function text(block: Buffer, start: number, length: number): Buffer {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  if (end === -1) return Buffer.from(field);
  if (field.subarray(end).some((byte) => byte !== 0)) throw header("has bytes after the end of a name");
  return Buffer.from(field.subarray(0, end));
}
