import { byPath } from "../archive.ts";
import { modeOf, type SourceFile } from "./source.ts";

const BLOCK = 512;
const LONGEST_NAME = 100;

/**
 * Writes files, sorted by path, below `topFolder/` (at the root where it is empty) into a tar of which every byte
 * follows from its content: time 0, owner 0, modes 0644 and 0755, no folder entries. A path that is longer than 100
 * bytes or not ASCII stands in a pax header.
 */
export async function* writeTar(files: readonly SourceFile[], topFolder: string): AsyncGenerator<Buffer> {
  for (const file of files.toSorted(byPath)) {
    const path = topFolder === "" ? file.path : `${topFolder}/${file.path}`;
    yield* head(path, file);
    let written = 0;
    for await (const chunk of file.read()) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== file.size) throw new RangeError("a file to be packed has another size than announced");
    yield padding(file.size);
  }
  yield Buffer.alloc(2 * BLOCK);
}

function* head(path: string, file: SourceFile): Generator<Buffer> {
  const needsPax = Buffer.byteLength(path) > LONGEST_NAME || /[^\x20-\x7e]/.test(path);
  if (needsPax) {
    const record = paxRecord("path", path);
    yield header("PaxHeader", record.length, 0o644, "x");
    yield record;
    yield padding(record.length);
  }
  yield header(needsPax ? fallbackName(path) : path, file.size, modeOf(file), "0");
}

/** What readers without pax would unpack: a bare file name, which cannot lead outside. */
function fallbackName(path: string): string {
  const parts = path.replace(/[^\x20-\x7e]/g, "_").split("/");
  return (parts.at(-1) ?? "file").slice(-LONGEST_NAME).replace(/^\.+/, "_");
}

/** `length key=value\n`, where the length counts its own digits too. */
function paxRecord(key: string, value: string): Buffer {
  const body = Buffer.from(` ${key}=${value}\n`);
  let length = body.length;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

function header(name: string, size: number, mode: number, type: "0" | "x"): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, LONGEST_NAME, "latin1");
  writeOctal(block, mode, 100, 8);
  writeOctal(block, 0, 108, 8);
  writeOctal(block, 0, 116, 8);
  writeOctal(block, size, 124, 12);
  writeOctal(block, 0, 136, 12);
  block.fill(0x20, 148, 156);
  block.write(type, 156, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  writeOctal(block, 0, 329, 8);
  writeOctal(block, 0, 337, 8);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function writeOctal(block: Buffer, value: number, at: number, length: number): void {
  block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}
