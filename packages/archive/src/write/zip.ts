import { crc32 } from "node:zlib";
import { byPath } from "../archive.ts";
import { deflateRaw } from "./gzip.ts";
import { modeOf, type SourceFile } from "./source.ts";

/** Version 2.0, Unix. */
const MADE_BY = 0x0314;
const NEEDED = 20;
/** Data descriptor, UTF-8 names. */
const FLAGS = 0x0808;
const DEFLATE = 8;
/** 1980-01-01, the earliest that the format knows. */
const DOS_DATE = 0x0021;

interface Written {
  readonly name: Buffer;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly mode: number;
  readonly offset: number;
}

/**
 * Writes files, sorted by path, into a zip of which every byte follows from its content: fixed time and modes, deflate,
 * data descriptors (so that nothing is held back to know its size), no folder entries, no comment.
 */
export async function* writeZip(files: readonly SourceFile[]): AsyncGenerator<Buffer> {
  const entries: Written[] = [];
  let offset = 0;
  for (const file of files.toSorted(byPath)) {
    const name = Buffer.from(file.path);
    const local = localHeader(name);
    yield local;
    const content = new Measured(file.read());
    let packed = 0;
    for await (const chunk of deflateRaw(content)) {
      packed += chunk.length;
      yield chunk;
    }
    const entry = { name, crc: content.crc, packed, size: content.size, mode: modeOf(file), offset };
    yield descriptor(entry);
    entries.push(entry);
    offset += local.length + packed + 16;
  }
  let directory = 0;
  for (const entry of entries) {
    const header = centralHeader(entry);
    directory += header.length;
    yield header;
  }
  yield endRecord(entries.length, directory, offset);
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

function localHeader(name: Buffer): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(NEEDED, 4);
  header.writeUInt16LE(FLAGS, 6);
  header.writeUInt16LE(DEFLATE, 8);
  header.writeUInt16LE(DOS_DATE, 12);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, name]);
}

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
  header.writeUInt16LE(FLAGS, 8);
  header.writeUInt16LE(DEFLATE, 10);
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
