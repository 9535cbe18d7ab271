import { gzipSync } from "node:zlib";

export interface ForgedTarEntry {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  readonly type?: string;
  readonly link?: string;
  readonly mode?: number;
  /** What the header says the size is. */
  readonly size?: number;
  readonly prefix?: string;
  readonly magic?: string;
  /** Written over the finished header; the checksum is made right again unless it is what is overwritten. */
  readonly patch?: { readonly at: number; readonly bytes: Buffer };
  /** Written into the padding after the content. */
  readonly padding?: number;
}

const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, "0")}\0`;

function header(entry: ForgedTarEntry, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(octal(entry.mode ?? 0o644, 8), 100, "latin1");
  block.write(octal(0, 8), 108, "latin1");
  block.write(octal(0, 8), 116, "latin1");
  block.write(octal(entry.size ?? size, 12), 124, "latin1");
  block.write(octal(0, 12), 136, "latin1");
  block.write(entry.type ?? "0", 156, "latin1");
  block.write(entry.link ?? "", 157, "latin1");
  block.write(entry.magic ?? "ustar\u000000", 257, "latin1");
  block.write(entry.prefix ?? "", 345, "latin1");
  Buffer.from(entry.name).copy(block, 0, 0, 100);
  if (entry.patch !== undefined) entry.patch.bytes.copy(block, entry.patch.at);
  if (entry.patch?.at !== 148) sign(block);
  return block;
}

function sign(block: Buffer): void {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

/** Writes a tar block by block, with every lie that it is told to; ends with `endBlocks` blocks of zeros. */
export function forgeTar(entries: readonly ForgedTarEntry[], endBlocks = 2): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? "");
    parts.push(header(entry, content.length), content);
    parts.push(Buffer.alloc((512 - (content.length % 512)) % 512, entry.padding ?? 0));
  }
  return Buffer.concat([...parts, Buffer.alloc(512 * endBlocks)]);
}

export function forgeTarGz(entries: readonly ForgedTarEntry[], endBlocks = 2): Buffer {
  return gzipSync(forgeTar(entries, endBlocks));
}

/** One pax record, its length right. */
export function paxRecord(key: string, value: string): string {
  const body = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(body) + 1;
  while (String(length).length + Buffer.byteLength(body) !== length) length++;
  return `${length}${body}`;
}

/** Entries below `top/` for a map of paths and texts. */
export function tarEntriesOf(files: Readonly<Record<string, string>>, top = "weather"): ForgedTarEntry[] {
  return Object.entries(files).map(([path, content]) => ({ name: `${top}/${path}`, content }));
}
