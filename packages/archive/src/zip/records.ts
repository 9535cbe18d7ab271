import { refused } from "../refuse.ts";

/** Offsets and signatures are those of PKWARE's APPNOTE 6.3.10, section 4.3. */
export const END_SIGNATURE = 0x06054b50;
export const END_SIZE = 22;
export const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
export const ZIP64_LOCATOR_SIZE = 20;
export const CENTRAL_SIGNATURE = 0x02014b50;
export const CENTRAL_SIZE = 46;
export const LOCAL_SIGNATURE = 0x04034b50;
export const LOCAL_SIZE = 30;
export const DESCRIPTOR_SIGNATURE = 0x08074b50;

export const FLAG_DESCRIPTOR = 0x0008;
export const FLAG_UTF8 = 0x0800;

/** What local and central header both say of an entry. */
export interface CommonHeader {
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly nameLength: number;
  readonly extraLength: number;
}

export interface CentralHeader extends CommonHeader {
  readonly madeBy: number;
  readonly needed: number;
  readonly commentLength: number;
  readonly disk: number;
  readonly attributes: number;
  readonly offset: number;
}

export interface EndRecord {
  readonly entries: number;
  readonly size: number;
  readonly offset: number;
}

/** The end record must be the very last 22 bytes: what a comment holds, some readers take for another archive. */
export function readEnd(tail: Buffer): EndRecord {
  const end = tail.subarray(tail.length - END_SIZE);
  if (end.readUInt32LE(0) !== END_SIGNATURE || end.readUInt16LE(20) !== 0) {
    throw refused(
      "ZIP_END_RECORD",
      "The zip's end record is not its last 22 bytes; pack without an archive comment, with nothing after the archive",
    );
  }
  if (end.indexOf("PK\u0005\u0006", 1, "latin1") !== -1) {
    throw refused("ZIP_END_RECORD", "The zip's end record holds the signature of another one; pack it again");
  }
  const entries = end.readUInt16LE(10);
  const size = end.readUInt32LE(12);
  const offset = end.readUInt32LE(16);
  if (end.readUInt16LE(4) !== 0 || end.readUInt16LE(6) !== 0 || end.readUInt16LE(8) !== entries) {
    throw refused("ZIP_MULTI_DISK", "The zip is one part of several; pack it into one file");
  }
  const locator = tail.length - END_SIZE - ZIP64_LOCATOR_SIZE;
  const hasLocator = locator >= 0 && tail.readUInt32LE(locator) === ZIP64_LOCATOR_SIGNATURE;
  if (entries === 0xffff || size === 0xffffffff || offset === 0xffffffff || hasLocator) {
    throw refused("ZIP64", "The zip uses ZIP64, which a package of this size does not need; pack without it");
  }
  return { entries, size, offset };
}

export function readCentral(record: Buffer): CentralHeader {
  return {
    madeBy: record.readUInt16LE(4),
    needed: record.readUInt16LE(6),
    ...readCommon(record, 8),
    commentLength: record.readUInt16LE(32),
    disk: record.readUInt16LE(34),
    attributes: record.readUInt32LE(38),
    offset: record.readUInt32LE(42),
  };
}

export function readLocal(record: Buffer): CommonHeader {
  return readCommon(record, 6);
}

function readCommon(record: Buffer, at: number): CommonHeader {
  return {
    flags: record.readUInt16LE(at),
    method: record.readUInt16LE(at + 2),
    crc: record.readUInt32LE(at + 8),
    packed: record.readUInt32LE(at + 12),
    size: record.readUInt32LE(at + 16),
    nameLength: record.readUInt16LE(at + 20),
    extraLength: record.readUInt16LE(at + 22),
  };
}
