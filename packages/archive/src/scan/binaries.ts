import type { Finding } from "../inspection.ts";

/** Bytes of a file's beginning that its kind is told by. */
export const MAGIC_BYTES = 1024;

/** Programs and libraries for one kind of machine, by their first bytes; WebAssembly runs in a sandbox and is none. */
export function scanBinary(head: Buffer, file: string): readonly Finding[] {
  const compiled = /\.py[co]$/i.test(file);
  const kind = compiled ? undefined : nativeKind(head);
  if (kind !== undefined) {
    const message = `Native code (${kind}), which cannot be reviewed here: build it from source on use, or say where it comes from`;
    return [{ rule: "binary-code", severity: "info", message, file }];
  }
  if (!compiled) return [];
  const message = "Compiled Python, which Python may run instead of the source beside it: leave it out of the package";
  return [{ rule: "compiled-python", severity: "medium", message, file }];
}

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
