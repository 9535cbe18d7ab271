import type { Finding } from "../inspection.ts";

/** Bytes of a file's beginning that its kind is told by. */
export const MAGIC_BYTES = 1024;

/**
 * What nobody can read as text: programs and libraries for one kind of machine (by their first bytes; WebAssembly runs
 * in a sandbox and is none), compiled Python, archives inside of the package.
 */
export function scanBinary(head: Buffer, file: string): readonly Finding[] {
  if (/\.py[co]$/i.test(file)) {
    const message = "Compiled Python, which nobody can read and Python may run instead of the source: leave it out";
    return [{ rule: "compiled-python", severity: "high", message, file }];
  }
  const kind = nativeKind(head);
  if (kind !== undefined) {
    const message = `Native code (${kind}), which cannot be reviewed here: build it from source on use, or say where it comes from`;
    return [{ rule: "binary-code", severity: "info", message, file }];
  }
  if (!isArchive(head, file)) return [];
  const message = "An archive inside of the package, whose content is not looked at: put its files into the package";
  return [{ rule: "nested-archive", severity: "medium", message, file }];
}

const archiveFile =
  /\.(?:zip|whl|jar|war|apk|pyz|egg|tar|tgz|tbz2?|txz|gz|bz2|xz|zst|7z|rar|crate|gem|asar|skill|mcpb|dxt)$/i;
/** Documents that are zips by their format. */
const documentFile =
  /\.(?:doc|dot|xls|xlt|ppt|pot|pps)[xm]$|\.(?:od[tspgf]|ot[tspg]|epub|xlsb|vsdx|numbers|pages|key|sketch|kmz|usdz|3mf|npz|pptx?|thmx)$/i;
const archiveStarts = [
  ...["504b0304", "504b0506", "1f8b08", "425a68", "fd377a585a00", "377abcaf271c", "526172211a07", "28b52ffd"],
].map((hex) => Buffer.from(hex, "hex"));

function isArchive(head: Buffer, file: string): boolean {
  if (documentFile.test(file)) return false;
  if (archiveFile.test(file)) return true;
  if (archiveStarts.some((start) => head.subarray(0, start.length).equals(start))) return !isText(head);
  return head.toString("latin1", 257, 262) === "ustar";
}

/** `BZh` are letters as well. */
const isText = (head: Buffer): boolean => /^[\t\n\r -~]*$/.test(head.toString("latin1", 0, 64));

function nativeKind(head: Buffer): string | undefined {
  if (head.length < 8) return undefined;
  const magic = head.readUInt32BE(0);
  if (magic === 0x7f454c46) return "ELF";
  if ([0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe].includes(magic)) return "Mach-O";
  /** Java classes begin likewise, with their version, which is above any number of architectures. */
  if (magic === 0xcafebabe && head.readUInt32BE(4) < 40) return "Mach-O";
  return isPortableExecutable(head) ? "PE" : undefined;
}

function isPortableExecutable(head: Buffer): boolean {
  if (head.length < 64 || head.toString("latin1", 0, 2) !== "MZ") return false;
  const header = head.readUInt32LE(60);
  return header + 4 <= head.length && head.toString("latin1", header, header + 4) === "PE\0\0";
}
