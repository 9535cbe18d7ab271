import type { ByteWindow } from "../bytes.ts";
import type { ArchiveLimits } from "../limits.ts";
import { checkPath, decodeName, type EntryKind, PathTable } from "../names.ts";
import { corrupt, overCap, refused } from "../refuse.ts";
import {
  CENTRAL_SIGNATURE,
  CENTRAL_SIZE,
  type CentralHeader,
  DESCRIPTOR_SIGNATURE,
  END_SIZE,
  FLAG_DESCRIPTOR,
  FLAG_UTF8,
  LOCAL_SIGNATURE,
  LOCAL_SIZE,
  readCentral,
  readEnd,
  readLocal,
  ZIP64_LOCATOR_SIZE,
} from "./records.ts";
import { checkExtras, checkHeader, checkSizes, kindOf } from "./rules.ts";

export interface ZipEntry {
  readonly path: string;
  readonly kind: EntryKind;
  readonly header: CentralHeader;
  /** Where the packed bytes begin. */
  readonly dataOffset: number;
}

interface Listed {
  readonly path: string;
  readonly kind: EntryKind;
  readonly header: CentralHeader;
  readonly rawName: Buffer;
}

/**
 * Reads every header of a zip and accepts it only if all readers must see the same files in it: the entries tile
 * the file from byte 0 to the central directory, and both headers of each agree. Nothing is inflated here.
 */
export async function checkZip(window: ByteWindow, limits: ArchiveLimits): Promise<readonly ZipEntry[]> {
  const tailSize = Math.min(window.size, END_SIZE + ZIP64_LOCATOR_SIZE);
  if (window.size < END_SIZE) throw corrupt("The zip is too short");
  const end = readEnd(await window.bytes(window.size - tailSize, tailSize));
  if (end.entries === 0) throw refused("EMPTY_ARCHIVE", "The zip holds no entries");
  if (end.entries > limits.entries) {
    throw overCap("TOO_MANY_ENTRIES", `The zip holds ${end.entries} entries; at most ${limits.entries} are allowed`);
  }
  if (end.offset + end.size !== window.size - END_SIZE) {
    throw refused("ZIP_HIDDEN_DATA", "There are bytes between the zip's central directory and its end record");
  }
  const listed = await readDirectory(window, end.offset, end.entries, limits);
  checkSizes(
    listed.map((entry) => entry.header),
    window.size,
    limits,
  );
  return tile(window, listed, end.offset);
}

async function readDirectory(
  window: ByteWindow,
  start: number,
  count: number,
  limits: ArchiveLimits,
): Promise<Listed[]> {
  const limit = window.size - END_SIZE;
  const paths = new PathTable();
  const listed: Listed[] = [];
  let at = start;
  for (let index = 0; index < count; index++) {
    if (at + CENTRAL_SIZE > limit) throw corrupt("The zip's central directory is cut short");
    const record = await window.bytes(at, CENTRAL_SIZE);
    if (record.readUInt32LE(0) !== CENTRAL_SIGNATURE) throw corrupt("The zip's central directory is damaged");
    const header = readCentral(record);
    const length = CENTRAL_SIZE + header.nameLength + header.extraLength + header.commentLength;
    if (at + length > limit) throw corrupt("The zip's central directory is cut short");
    const rest = await window.bytes(at + CENTRAL_SIZE, length - CENTRAL_SIZE);
    listed.push(readListed(header, rest, paths, limits));
    at += length;
  }
  if (at !== limit) throw refused("ZIP_HIDDEN_DATA", "The zip's central directory holds more than it declares");
  return listed;
}

function readListed(header: CentralHeader, rest: Buffer, paths: PathTable, limits: ArchiveLimits): Listed {
  const rawName = Buffer.from(rest.subarray(0, header.nameLength));
  if (rawName.length > limits.pathBytes + 1) {
    throw overCap("PATH_TOO_LONG", `An entry name is longer than ${limits.pathBytes} bytes`);
  }
  const name = decodeName(rawName, (header.flags & FLAG_UTF8) === 0);
  const named: EntryKind = name.endsWith("/") ? "directory" : "file";
  const path = named === "directory" ? name.slice(0, -1) : name;
  checkPath(path, limits);
  checkHeader(header, path);
  checkExtras(rest.subarray(header.nameLength, header.nameLength + header.extraLength), path, rawName);
  const kind = kindOf(header, path, named);
  paths.add(path, kind);
  return { path, kind, header, rawName };
}

async function tile(window: ByteWindow, listed: readonly Listed[], end: number): Promise<readonly ZipEntry[]> {
  const ordered = listed.toSorted((a, b) => a.header.offset - b.header.offset);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (const [index, entry] of ordered.entries()) {
    const next = ordered[index + 1]?.header.offset ?? end;
    if (entry.header.offset !== at) throw gapOrOverlap(entry.header.offset < at, entry.path);
    const dataOffset = await checkLocal(window, entry, next);
    await checkTail(window, entry, dataOffset + entry.header.packed, next);
    entries.push({ path: entry.path, kind: entry.kind, header: entry.header, dataOffset });
    at = next;
  }
  return entries;
}

function gapOrOverlap(overlaps: boolean, path: string): Error {
  return overlaps
    ? refused("ZIP_OVERLAP", "Entries of the zip overlap each other or its central directory", path)
    : refused("ZIP_HIDDEN_DATA", "There are bytes in the zip that belong to no listed entry", path);
}

/** Returns where the data begins. */
async function checkLocal(window: ByteWindow, entry: Listed, next: number): Promise<number> {
  const { header, path } = entry;
  if (header.offset + LOCAL_SIZE > next) throw gapOrOverlap(true, path);
  const record = await window.bytes(header.offset, LOCAL_SIZE);
  if (record.readUInt32LE(0) !== LOCAL_SIGNATURE) throw corrupt("A zip entry has no local header", path);
  const local = readLocal(record);
  const dataOffset = header.offset + LOCAL_SIZE + local.nameLength + local.extraLength;
  if (dataOffset + header.packed > next) throw gapOrOverlap(true, path);
  const rest = await window.bytes(header.offset + LOCAL_SIZE, local.nameLength + local.extraLength);
  const described = (header.flags & FLAG_DESCRIPTOR) !== 0;
  const sameOrOpen = (["crc", "packed", "size"] as const).every(
    (field) => local[field] === header[field] || (described && local[field] === 0),
  );
  const agrees =
    local.flags === header.flags &&
    local.method === header.method &&
    sameOrOpen &&
    rest.subarray(0, local.nameLength).equals(entry.rawName);
  if (!agrees) {
    throw refused("ZIP_HEADER_MISMATCH", "A zip entry's local header and the central directory disagree", path);
  }
  checkExtras(rest.subarray(local.nameLength), path, entry.rawName);
  return dataOffset;
}

/** Between an entry's data and the next entry stands nothing but its data descriptor, with or without signature. */
async function checkTail(window: ByteWindow, entry: Listed, dataEnd: number, next: number): Promise<void> {
  const { header, path } = entry;
  const length = next - dataEnd;
  if ((header.flags & FLAG_DESCRIPTOR) === 0) {
    if (length !== 0) throw gapOrOverlap(false, path);
    return;
  }
  if (length !== 12 && length !== 16) throw gapOrOverlap(length < 12, path);
  const record = await window.bytes(dataEnd, length);
  const at = length - 12;
  const agrees =
    (at === 0 || record.readUInt32LE(0) === DESCRIPTOR_SIGNATURE) &&
    record.readUInt32LE(at) === header.crc &&
    record.readUInt32LE(at + 4) === header.packed &&
    record.readUInt32LE(at + 8) === header.size;
  if (!agrees) {
    throw refused("ZIP_HEADER_MISMATCH", "A zip entry's data descriptor and the central directory disagree", path);
  }
}
