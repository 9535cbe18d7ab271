import { crc32 } from "node:zlib";
import { byPath } from "../archive.ts";
import { deflateRaw } from "./gzip.ts";
import { modeOf, type SourceFile } from "./source.ts";

/** Version 2.0, Unix. */
const MADE_BY = 0x0314;
const NEEDED = 20;
const UTF8 = 0x0800;
const DESCRIPTOR = 0x0008;
const STORE = 0;
const DEFLATE = 8;
/** Readers take a file of this size for no bomb, however well it compresses. */
const STORE_FLOOR = 1024 * 1024;
/** 1980-01-01, the earliest that the format knows. */
const DOS_DATE = 0x0021;

export interface ZipOptions {
  /**
   * Files over 1 MiB that deflate to less than this part (50: a fiftieth) of their size are stored, since readers take
   * them for a bomb. Their `read` is called twice. Default: everything is deflated.
   */
  readonly storeAbove?: number;
}

interface Content {
  readonly crc: number;
  readonly size: number;
}

interface Written extends Content {
  readonly name: Buffer;
  readonly method: typeof STORE | typeof DEFLATE;
  readonly packed: number;
  readonly mode: number;
  readonly offset: number;
}

/**
 * Writes files, sorted by path, into a zip of which every byte follows from its content: fixed time and modes, deflate,
 * data descriptors (so that nothing is held back to know its size), no folder entries, no comment.
 */
export async function* writeZip(files: readonly SourceFile[], options: ZipOptions = {}): AsyncGenerator<Buffer> {
  const entries: Written[] = [];
  let offset = 0;
  for (const file of files.toSorted(byPath)) {
    const stored = options.storeAbove === undefined ? undefined : await bombLike(file, options.storeAbove);
    const common = { name: Buffer.from(file.path), mode: modeOf(file), offset };
    const entry = stored === undefined ? yield* deflated(file, common) : yield* asItIs(file, common, stored);
    entries.push(entry);
    offset += 30 + entry.name.length + entry.packed + (entry.method === DEFLATE ? 16 : 0);
  }
  let directory = 0;
  for (const entry of entries) {
    const header = centralHeader(entry);
    directory += header.length;
    yield header;
  }
  yield endRecord(entries.length, directory, offset);
}

type Common = Pick<Written, "name" | "mode" | "offset">;

async function* deflated(file: SourceFile, common: Common): AsyncGenerator<Buffer, Written> {
  yield localHeader(common.name, DEFLATE);
  const content = new Measured(file.read());
  let packed = 0;
  for await (const chunk of deflateRaw(content)) {
    packed += chunk.length;
    yield chunk;
  }
  const entry = { ...common, method: DEFLATE, crc: content.crc, packed, size: content.size } as const;
  yield descriptor(entry);
  return entry;
}

/** The end of a stored entry cannot be told from its content, so its sizes stand before it. */
async function* asItIs(file: SourceFile, common: Common, known: Content): AsyncGenerator<Buffer, Written> {
  yield localHeader(common.name, STORE, known);
  const content = new Measured(file.read());
  yield* content;
  if (content.crc !== known.crc || content.size !== known.size) throw new RangeError(`${file.path} changed meanwhile`);
  return { ...common, method: STORE, crc: known.crc, packed: known.size, size: known.size };
}

/** What is to be stored; most files are known not to be before much of them was read. */
async function bombLike(file: SourceFile, ratio: number): Promise<Content | undefined> {
  if (file.size <= STORE_FLOOR) return undefined;
  const content = new Measured(file.read());
  let packed = 0;
  for await (const chunk of deflateRaw(content)) {
    packed += chunk.length;
    if (packed * ratio >= file.size) return undefined;
  }
  return { crc: content.crc, size: content.size };
}

class Measured implements AsyncIterable<Buffer> {
  readonly #source: AsyncIterable<Buffer>;
  crc = 0;
  size = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for await (const chunk of this.#source) {
      this.crc = crc32(chunk, this.crc);
      this.size += chunk.length;
      yield chunk;
    }
  }
}

/** @param known where the entry has no descriptor */
function localHeader(name: Buffer, method: number, known?: Content): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(NEEDED, 4);
  header.writeUInt16LE(flagsOf(method), 6);
  header.writeUInt16LE(method, 8);
  header.writeUInt16LE(DOS_DATE, 12);
  if (known !== undefined) {
    header.writeUInt32LE(known.crc, 14);
    header.writeUInt32LE(known.size, 18);
    header.writeUInt32LE(known.size, 22);
  }
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, name]);
}

const flagsOf = (method: number): number => (method === DEFLATE ? UTF8 | DESCRIPTOR : UTF8);

function descriptor(entry: Written): Buffer {
  const record = Buffer.alloc(16);
  record.writeUInt32LE(0x08074b50, 0);
  record.writeUInt32LE(entry.crc, 4);
  record.writeUInt32LE(entry.packed, 8);
  record.writeUInt32LE(entry.size, 12);
  return record;
}

function centralHeader(entry: Written): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(MADE_BY, 4);
  header.writeUInt16LE(NEEDED, 6);
  header.writeUInt16LE(flagsOf(entry.method), 8);
  header.writeUInt16LE(entry.method, 10);
  header.writeUInt16LE(DOS_DATE, 14);
  header.writeUInt32LE(entry.crc, 16);
  header.writeUInt32LE(entry.packed, 20);
  header.writeUInt32LE(entry.size, 24);
  header.writeUInt16LE(entry.name.length, 28);
  header.writeUInt32LE(((0x8000 | entry.mode) << 16) >>> 0, 38);
  header.writeUInt32LE(entry.offset, 42);
  return Buffer.concat([header, entry.name]);
}

function endRecord(entries: number, size: number, offset: number): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(entries, 8);
  record.writeUInt16LE(entries, 10);
  record.writeUInt32LE(size, 12);
  record.writeUInt32LE(offset, 16);
  return record;
}
