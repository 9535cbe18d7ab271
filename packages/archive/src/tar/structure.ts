import { quote } from "@registry/domain";
import type { ByteWindow } from "../bytes.ts";
import type { ArchiveLimits } from "../limits.ts";
import { checkPath, decodeName, type EntryKind } from "../names.ts";
import { corrupt, overCap, refused } from "../refuse.ts";
import { checkTotal } from "../zip/rules.ts";
import { BLOCK, readTarHeader, type TarHeader } from "./header.ts";
import { type PaxHeader, readPax } from "./pax.ts";

export interface TarEntry {
  /** As in the archive, without a leading `./` and a trailing slash; empty for `./` itself. */
  readonly path: string;
  readonly kind: EntryKind;
  readonly size: number;
  readonly mode: number;
  readonly dataOffset: number;
}

const LONGEST_EXTENSION = 64 * 1024;
const LONGEST_FILLING = 1024 * 1024;
const zeros = Buffer.alloc(BLOCK);

type Pending = PaxHeader;

/** Walks every header of an unpacked tar from its first block to its last; accepts files and folders only. */
export async function checkTar(window: ByteWindow, packedBytes: number, limits: ArchiveLimits): Promise<TarEntry[]> {
  if (window.size % BLOCK !== 0 || window.size === 0) throw corrupt("The tar does not end at a block boundary");
  const entries: TarEntry[] = [];
  let pending: Pending | undefined;
  let total = 0;
  let at = 0;
  for (let headers = 0; ; headers++) {
    if (headers > limits.entries * 2 + 1) throw tooMany(limits);
    if (at >= window.size) throw corrupt("The tar has no end blocks");
    const block = await window.bytes(at, BLOCK);
    if (block.equals(zeros)) break;
    const header = readTarHeader(block);
    const dataOffset = at + BLOCK;
    at = await endOf(window, dataOffset, header.size);
    if ("xgL".includes(header.type)) {
      if (pending !== undefined) throw stray();
      pending = await readExtension(window, header, dataOffset);
      continue;
    }
    if (pending?.size !== undefined && pending.size !== header.size) {
      throw refused("TAR_EXTENSION", "A pax header and the header of its entry differ in size");
    }
    const entry = readEntry(header, pending?.path, dataOffset, limits);
    pending = undefined;
    total += entry.size;
    checkTotal(total, packedBytes, limits);
    if (entries.push(entry) > limits.entries) throw tooMany(limits);
  }
  if (pending !== undefined) throw stray();
  await checkEnd(window, at);
  if (entries.length === 0) throw refused("EMPTY_ARCHIVE", "The tar holds no entries");
  return entries;
}

function tooMany(limits: ArchiveLimits): Error {
  return overCap("TOO_MANY_ENTRIES", `The tar holds more than ${limits.entries} entries`);
}

function stray(): Error {
  return refused("TAR_EXTENSION", "A tar extension header is not followed by the entry that it belongs to");
}

/** Where the next header begins; what pads the content to a full block must be zeros. */
async function endOf(window: ByteWindow, dataOffset: number, size: number): Promise<number> {
  const end = dataOffset + size;
  const padding = (BLOCK - (size % BLOCK)) % BLOCK;
  if (end + padding > window.size) throw corrupt("A tar entry is longer than the file");
  if (padding > 0 && (await window.bytes(end, padding)).some((byte) => byte !== 0)) throw hidden();
  return end + padding;
}

function hidden(): Error {
  return refused("TAR_HIDDEN_DATA", "The tar has bytes that belong to no entry");
}

/** A `g` header speaks of all that follows, so it may not name anything; undefined where nothing is left pending. */
async function readExtension(window: ByteWindow, header: TarHeader, offset: number): Promise<Pending | undefined> {
  if (header.size === 0 || header.size > LONGEST_EXTENSION) {
    throw refused("TAR_EXTENSION", `A tar extension header is empty or over ${LONGEST_EXTENSION} bytes`);
  }
  const body = Buffer.from(await window.bytes(offset, header.size));
  if (header.type === "L") {
    const end = body.indexOf(0);
    if (end < 1 || body.subarray(end).some((byte) => byte !== 0)) {
      throw refused("TAR_EXTENSION", "A GNU long name is empty or does not end with a NUL");
    }
    return { path: body.subarray(0, end), size: undefined };
  }
  const found = readPax(body);
  if (header.type === "x") return found;
  if (found.path !== undefined || found.size !== undefined) {
    throw refused("TAR_EXTENSION", "A global pax header sets a path or a size");
  }
  return undefined;
}

function readEntry(
  header: TarHeader,
  longName: Buffer | undefined,
  dataOffset: number,
  limits: ArchiveLimits,
): TarEntry {
  const name = decodeName(longName ?? header.name, false);
  if (longName !== undefined) checkShortName(header.name);
  if ((header.type !== "0" && header.type !== "5") || header.hasLink) {
    throw refused(
      "SPECIAL_ENTRY",
      `The entry ${quote(name)} is a link, device or other special file; pack regular files and folders only`,
      name,
    );
  }
  const kind: EntryKind = header.type === "5" ? "directory" : "file";
  if (kind === "file" ? name.endsWith("/") : header.size !== 0) {
    throw refused("TAR_HEADER", `The entry ${quote(name)} is marked as file and as folder at once`, name);
  }
  if (header.size > limits.entryBytes) {
    throw overCap(
      "ENTRY_TOO_LARGE",
      `One file has ${header.size} bytes; at most ${limits.entryBytes} are allowed`,
      name,
    );
  }
  const bare = kind === "directory" && name !== "/" && name.endsWith("/") ? name.slice(0, -1) : name;
  const path = bare === "." && kind === "directory" ? "" : bare.startsWith("./") ? bare.slice(2) : bare;
  if (path !== "" || bare !== ".") checkPath(path, limits);
  return { path, kind, size: header.size, mode: header.mode, dataOffset };
}

/** Readers without pax use the short name, so it may not escape either. */
function checkShortName(name: Buffer): void {
  const text = name.toString("latin1");
  if (text.startsWith("/") || text.includes("\\") || text.split("/").includes("..")) {
    throw refused("PATH_TRAVERSAL", "The short name below a pax or GNU long name could escape");
  }
}

/** After the first zero block come zeros only, as many as tools use to fill their last record. */
async function checkEnd(window: ByteWindow, start: number): Promise<void> {
  const left = window.size - start;
  if (left < 2 * BLOCK) throw corrupt("The tar has no second end block");
  if (left > LONGEST_FILLING) throw hidden();
  for (let at = start; at < window.size; at += BLOCK) {
    if (!(await window.bytes(at, BLOCK)).equals(zeros)) throw hidden();
  }
}
