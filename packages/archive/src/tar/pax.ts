import { quote } from "@registry/domain";
import { refused } from "../refuse.ts";

/** Times, owners and comments, and the extended attributes that bsdtar writes on macOS by itself. */
const harmlessKey =
  /^(?:mtime|atime|ctime|uid|gid|uname|gname|comment|LIBARCHIVE\.(?:creationtime|xattr\..+)|SCHILY\.(?:dev|ino|nlink|fflags|xattr\..+))$/;
export interface PaxHeader {
  readonly path: Buffer | undefined;
  readonly size: number | undefined;
}

const time = /^-?[0-9]{1,12}(?:\.[0-9]{0,20})?$/;
const numbers: ReadonlyMap<string, (value: string) => boolean> = new Map([
  ...["mtime", "atime", "ctime", "LIBARCHIVE.creationtime"].map((key) => [key, isTime] as const),
  ...["uid", "gid"].map((key) => [key, isOwner] as const),
]);

function isTime(value: string): boolean {
  return time.test(value);
}

function isOwner(value: string): boolean {
  return /^[0-9]{1,10}$/.test(value) && Number(value) <= 0xffffffff;
}

/**
 * Reads the records of a pax extended header. `path` is the only key that changes what is unpacked and is allowed to;
 * a `size`, which npm writes beside a long path, must be the one of the entry itself. Links, sparse maps and character
 * sets are refused.
 */
export function readPax(body: Buffer): PaxHeader {
  let path: Buffer | undefined;
  let size: number | undefined;
  const seen = new Set<string>();
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const length = space === -1 ? "" : body.toString("latin1", at, space);
    const end = at + Number(length);
    if (!/^[1-9][0-9]{0,9}$/.test(length) || end > body.length || end <= space + 1 || body[end - 1] !== 0x0a) {
      throw pax("A pax header is malformed");
    }
    const equals = body.indexOf(0x3d, space + 1);
    if (equals === -1 || equals >= end - 1) throw pax("A pax header is malformed");
    const key = body.toString("utf8", space + 1, equals);
    const value = body.subarray(equals + 1, end - 1);
    if (seen.has(key)) throw pax("A pax header gives one key twice");
    seen.add(key);
    if (key === "path") path = Buffer.from(value);
    else if (key === "size") size = readSize(value.toString("latin1"));
    else checkKey(key, value.toString("latin1"));
    at = end;
  }
  if (path !== undefined && (path.length === 0 || path.includes(0))) throw pax("A pax header gives an unusable path");
  return { path, size };
}

function readSize(value: string): number {
  if (!/^(?:0|[1-9][0-9]{0,11})$/.test(value)) throw pax("A pax header's size is not in its range");
  return Number(value);
}

function checkKey(key: string, value: string): void {
  if (!harmlessKey.test(key)) throw pax(`A pax header sets ${quote(key)}`);
  if (numbers.get(key)?.(value) === false) throw pax(`A pax header's ${key} is not in its range`);
}

function pax(what: string): Error {
  return refused("TAR_EXTENSION", `${what}, which is not allowed; pack plain files with their plain names and sizes`);
}
