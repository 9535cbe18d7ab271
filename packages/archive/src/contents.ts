import { createHash } from "node:crypto";
import type { FileEntry, OpenArchive } from "./archive.ts";
import type { InspectedFile } from "./inspection.ts";
import { present } from "./present.ts";
import { overCap, refused } from "./refuse.ts";
import { type FindingCollector, ScanBudget, startScan } from "./scan/index.ts";

export interface Contents {
  readonly files: readonly InspectedFile[];
  readonly unpackedSize: number;
}

/**
 * Reads every file to its end, which verifies it, and hashes and scans it on the way; of the bytes, at most 1 MiB is
 * held. What the scans find goes to `findings`.
 */
export async function readContents(archive: OpenArchive, findings: FindingCollector): Promise<Contents> {
  const files: InspectedFile[] = [];
  const budget = new ScanBudget(archive.files);
  let unpackedSize = 0;
  for (const file of archive.files) {
    const hash = createHash("sha256");
    const scan = startScan(file, budget);
    for await (const chunk of archive.read(file)) {
      hash.update(chunk);
      scan.push(chunk);
    }
    unpackedSize += file.size;
    files.push(present({ path: file.path, size: file.size, sha256: hash.digest("hex"), mode: file.mode }));
    findings.add(scan.end());
  }
  findings.add(budget.findings());
  return { files, unpackedSize };
}

export interface TextCap {
  readonly bytes: number;
  /** Reason of the refusal when the file is larger. */
  readonly reason: string;
}

/**
 * Reads one small file as UTF-8; `strict` refuses what is not, else it is replaced by U+FFFD.
 * Throws `too_large` with the cap's reason, `rejected` INVALID_TEXT.
 */
export async function readText(archive: OpenArchive, file: FileEntry, cap: TextCap, strict = true): Promise<string> {
  if (file.size > cap.bytes) {
    throw overCap(cap.reason, `${file.path} has ${file.size} bytes; at most ${cap.bytes} are allowed`, file.path);
  }
  const parts: Buffer[] = [];
  for await (const part of archive.read(file)) parts.push(part);
  try {
    return new TextDecoder("utf-8", { fatal: strict, ignoreBOM: true }).decode(Buffer.concat(parts));
  } catch {
    throw refused("INVALID_TEXT", `${file.path} is not valid UTF-8; save it as UTF-8`, file.path);
  }
}
