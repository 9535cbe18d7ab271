import { crc32 } from "node:zlib";
import { quote } from "@registry/domain";
import type { ArchiveLimits } from "../limits.ts";
import type { EntryKind } from "../names.ts";
import { overCap, refused } from "../refuse.ts";
import { type CentralHeader, FLAG_DESCRIPTOR, FLAG_UTF8 } from "./records.ts";

/** Compression level hints, data descriptor, UTF-8: every other flag changes how content or names are read. */
const ALLOWED_FLAGS = 0x0006 | FLAG_DESCRIPTOR | FLAG_UTF8;
/** 4.5, the newest that methods 0 and 8 can ask for. */
const NEWEST_NEEDED = 45;

/**
 * Extra fields that carry times, owners or padding. All others are refused, since they can replace sizes (ZIP64),
 * the name (Unicode path), the type (ASi Unix, PKWARE Unix) or the encryption of an entry.
 */
const harmlessExtras = new Map<number, string>([
  [0x000a, "NTFS times"],
  [0x5455, "extended timestamp"],
  [0x5855, "Info-ZIP Unix, first form"],
  [0x6375, "Unicode comment"],
  [0x7855, "Info-ZIP Unix, second form"],
  [0x7875, "Info-ZIP Unix, third form"],
  [0xa220, "padding of Open Packaging"],
  [0xcafe, "JAR marker"],
  [0xd935, "alignment padding"],
]);
const UNICODE_PATH = 0x7075;
const namedExtras = new Map<number, string>([
  [0x0001, "ZIP64"],
  [UNICODE_PATH, "a second, Unicode name (pack with zip -UN=UTF8)"],
  [0x9901, "AES encryption"],
  [0x756e, "a file type or link of its own"],
  [0x000d, "a file type or link of its own"],
]);

export function checkHeader(header: CentralHeader, path: string): void {
  const shown = `The entry ${quote(path)}`;
  if ((header.flags & 0x2041) !== 0) {
    throw refused("ENCRYPTED_ENTRY", `${shown} is encrypted; pack without a password`, path);
  }
  if ((header.flags & ~ALLOWED_FLAGS) !== 0) {
    throw refused("ZIP_FLAGS", `${shown} sets flags that are not allowed; pack with plain deflate`, path);
  }
  if (header.method !== 0 && header.method !== 8) {
    throw refused("ZIP_METHOD", `${shown} uses compression method ${header.method}; store or deflate it`, path);
  }
  if (header.needed > NEWEST_NEEDED) {
    throw refused("ZIP_VERSION", `${shown} asks for a newer zip version than store and deflate need`, path);
  }
  if (header.disk !== 0) throw refused("ZIP_MULTI_DISK", `${shown} is on another disk`, path);
  if (header.packed === 0xffffffff || header.size === 0xffffffff || header.offset === 0xffffffff) {
    throw refused("ZIP64", `${shown} uses ZIP64, which a package of this size does not need`, path);
  }
  if (header.method === 0 && header.packed !== header.size) {
    throw refused("ZIP_HEADER_MISMATCH", `${shown} is stored but declares two different sizes`, path);
  }
}

/** File or directory, where name, Unix mode and DOS attributes all agree on it. */
export function kindOf(header: CentralHeader, path: string, named: EntryKind): EntryKind {
  const unixType = (header.attributes >>> 16) & 0xf000;
  const directoryByMode = unixType === 0x4000;
  const special = unixType !== 0 && unixType !== 0x8000 && !directoryByMode;
  const volumeOrReparse = (header.attributes & 0x0408) !== 0;
  if (special || volumeOrReparse) {
    throw refused(
      "SPECIAL_ENTRY",
      `The entry ${quote(path)} is a link, device or other special file; pack regular files and folders only`,
      path,
    );
  }
  const directoryByAttribute = (header.attributes & 0x10) !== 0;
  const contradicts =
    named === "directory" ? unixType === 0x8000 || header.size !== 0 : directoryByMode || directoryByAttribute;
  if (contradicts) {
    throw refused("ZIP_HEADER_MISMATCH", `The entry ${quote(path)} is marked as file and as folder at once`, path);
  }
  return named;
}

/**
 * JSZip repeats each non-ASCII name in a Unicode path field. Where that is the very name, no reader can be misled by
 * it; any other is refused.
 */
function repeatsName(body: Buffer, rawName: Buffer): boolean {
  return (
    body.length === 5 + rawName.length &&
    body.readUInt8(0) === 1 &&
    body.readUInt32LE(1) === crc32(rawName) &&
    body.subarray(5).equals(rawName)
  );
}

export function checkExtras(extras: Buffer, path: string, rawName: Buffer): void {
  let at = 0;
  while (at < extras.length) {
    const id = at + 4 <= extras.length ? extras.readUInt16LE(at) : -1;
    const next = id === -1 ? extras.length + 1 : at + 4 + extras.readUInt16LE(at + 2);
    if (next > extras.length) {
      throw refused("ZIP_EXTRA_FIELD", `The entry ${quote(path)} has a malformed extra field`, path);
    }
    const harmless =
      harmlessExtras.has(id) || (id === UNICODE_PATH && repeatsName(extras.subarray(at + 4, next), rawName));
    if (!harmless) {
      const meaning = namedExtras.get(id) ?? `0x${id.toString(16).padStart(4, "0")}`;
      throw refused("ZIP_EXTRA_FIELD", `The entry ${quote(path)} has a refused extra field: ${meaning}`, path);
    }
    at = next;
  }
}

export function checkSizes(entries: readonly CentralHeader[], packageBytes: number, limits: ArchiveLimits): void {
  let total = 0;
  for (const entry of entries) {
    if (entry.size > limits.entryBytes) {
      throw overCap(
        "ENTRY_TOO_LARGE",
        `One file declares ${entry.size} bytes; at most ${limits.entryBytes} are allowed`,
      );
    }
    checkRatio(entry.size, entry.packed, limits);
    total += entry.size;
  }
  checkTotal(total, packageBytes, limits);
}

export function checkTotal(total: number, packageBytes: number, limits: ArchiveLimits): void {
  if (total > limits.unpackedBytes) {
    throw overCap("UNPACKED_TOO_LARGE", `Unpacked, the package is over ${limits.unpackedBytes} bytes`);
  }
  checkRatio(total, packageBytes, limits);
}

function checkRatio(size: number, packed: number, limits: ArchiveLimits): void {
  if (size > limits.ratioFloorBytes && size > packed * limits.ratio) {
    throw overCap("COMPRESSION_RATIO", `The content unpacks to more than ${limits.ratio} times its packed size`);
  }
}
