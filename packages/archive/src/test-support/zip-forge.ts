import { crc32, deflateRawSync } from "node:zlib";

/** Header fields as they are written, whatever the truth is. */
export interface HeaderFields {
  name: Buffer;
  needed: number;
  flags: number;
  method: number;
  crc: number;
  packed: number;
  size: number;
  extra: Buffer;
  madeBy: number;
  disk: number;
  attributes: number;
  comment: Buffer;
  offset: number;
}

export interface ForgedEntry {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  readonly method?: number;
  readonly flags?: number;
  readonly attributes?: number;
  readonly extra?: Buffer;
  /** What the local header says differently. */
  readonly local?: Partial<HeaderFields>;
  /** What the central header says differently. */
  readonly central?: Partial<HeaderFields>;
  /** Written after the data: "signed" and "bare" tell the truth. */
  readonly descriptor?: "signed" | "bare" | Buffer;
  /** The packed bytes, instead of those that belong to `content`. */
  readonly packed?: Buffer;
  /** Bytes before the local header. */
  readonly gap?: Buffer;
  /** Leaves the entry out of the central directory. */
  readonly hidden?: boolean;
}

export interface ForgedZip {
  readonly comment?: Buffer;
  readonly beforeDirectory?: Buffer;
  readonly afterDirectory?: Buffer;
  readonly afterEnd?: Buffer;
  readonly end?: { entries?: number; diskEntries?: number; size?: number; offset?: number; disk?: number };
}

const none = Buffer.alloc(0);

export function extraField(id: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(body.length, 2);
  return Buffer.concat([head, body]);
}

function fieldsOf(entry: ForgedEntry, packed: Buffer, content: Buffer): HeaderFields {
  const name = Buffer.isBuffer(entry.name) ? entry.name : Buffer.from(entry.name);
  const ascii = name.every((byte) => byte < 0x80);
  return {
    name,
    needed: 20,
    flags: (entry.flags ?? 0) | (ascii ? 0 : 0x0800) | (entry.descriptor === undefined ? 0 : 0x0008),
    method: entry.method ?? 8,
    crc: crc32(content),
    packed: packed.length,
    size: content.length,
    extra: entry.extra ?? none,
    madeBy: 0x0314,
    disk: 0,
    attributes: entry.attributes ?? (0o100644 << 16) >>> 0,
    comment: none,
    offset: 0,
  };
}

function common(fields: HeaderFields): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(fields.needed, 0);
  header.writeUInt16LE(fields.flags, 2);
  header.writeUInt16LE(fields.method, 4);
  header.writeUInt16LE(0x21, 8);
  header.writeUInt32LE(fields.crc >>> 0, 10);
  header.writeUInt32LE(fields.packed, 14);
  header.writeUInt32LE(fields.size, 18);
  header.writeUInt16LE(fields.name.length, 22);
  header.writeUInt16LE(fields.extra.length, 24);
  return header;
}

export function localHeader(fields: HeaderFields): Buffer {
  return Buffer.concat([Buffer.from("PK\u0003\u0004", "latin1"), common(fields), fields.name, fields.extra]);
}

function centralHeader(fields: HeaderFields): Buffer {
  const head = Buffer.alloc(6);
  head.write("PK\u0001\u0002", 0, "latin1");
  head.writeUInt16LE(fields.madeBy, 4);
  const tail = Buffer.alloc(14);
  tail.writeUInt16LE(fields.comment.length, 0);
  tail.writeUInt16LE(fields.disk, 2);
  tail.writeUInt32LE(fields.attributes >>> 0, 6);
  tail.writeUInt32LE(fields.offset, 10);
  return Buffer.concat([head, common(fields), tail, fields.name, fields.extra, fields.comment]);
}

function descriptorOf(entry: ForgedEntry, fields: HeaderFields): Buffer {
  if (entry.descriptor === undefined) return none;
  if (Buffer.isBuffer(entry.descriptor)) return entry.descriptor;
  const record = Buffer.alloc(16);
  record.write("PK\u0007\u0008", 0, "latin1");
  record.writeUInt32LE(fields.crc, 4);
  record.writeUInt32LE(fields.packed, 8);
  record.writeUInt32LE(fields.size, 12);
  return entry.descriptor === "signed" ? record : record.subarray(4);
}

/** Writes a zip byte by byte, with every lie that it is told to. */
export function forgeZip(entries: readonly ForgedEntry[], zip: ForgedZip = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? "");
    const packed = entry.packed ?? ((entry.method ?? 8) === 8 ? deflateRawSync(content) : content);
    const truth = fieldsOf(entry, packed, content);
    const open = entry.descriptor === undefined ? {} : { crc: 0, packed: 0, size: 0 };
    const gap = entry.gap ?? none;
    const written = [gap, localHeader({ ...truth, ...open, ...entry.local }), packed, descriptorOf(entry, truth)];
    parts.push(...written);
    if (entry.hidden !== true)
      directory.push(centralHeader({ ...truth, offset: offset + gap.length, ...entry.central }));
    offset += Buffer.concat(written).length;
  }
  const before = zip.beforeDirectory ?? none;
  const central = Buffer.concat(directory);
  const comment = zip.comment ?? none;
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", 0, "latin1");
  end.writeUInt16LE(zip.end?.disk ?? 0, 4);
  end.writeUInt16LE(zip.end?.diskEntries ?? zip.end?.entries ?? directory.length, 8);
  end.writeUInt16LE(zip.end?.entries ?? directory.length, 10);
  end.writeUInt32LE(zip.end?.size ?? central.length, 12);
  end.writeUInt32LE(zip.end?.offset ?? offset + before.length, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, before, central, zip.afterDirectory ?? none, end, comment, zip.afterEnd ?? none]);
}

/** Entries for a map of paths and texts. */
export function entriesOf(files: Readonly<Record<string, string>>): ForgedEntry[] {
  return Object.entries(files).map(([name, content]) => ({ name, content }));
}
