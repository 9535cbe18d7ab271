import { createHash } from "node:crypto";
import type { FileEntry, OpenArchive } from "./archive.ts";
import type { DecodedManifest, InspectedFile } from "./inspection.ts";
import { present } from "./present.ts";
import { overCap, refused } from "./refuse.ts";
import type { EntryPoint } from "./scan/entry-points.ts";
import { entryPoints, type FindingCollector, ScanBudget, startScan } from "./scan/index.ts";

const MOST_MANIFEST_BYTES = 1024 * 1024;

export interface Contents {
  readonly files: readonly InspectedFile[];
  readonly unpackedSize: number;
}

/**
 * Reads every file to its end, which verifies it, and hashes and scans it on the way; of the bytes, at most 1 MiB is
 * held. What the scans find goes to `findings`; what `manifests` name as code is scanned as such.
 */
export async function readContents(
  archive: OpenArchive,
  findings: FindingCollector,
  manifests: readonly DecodedManifest[] = [],
): Promise<Contents> {
  const files: InspectedFile[] = [];
  const budget = new ScanBudget(archive.files, await namedCode(archive, manifests));
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

/** Also by a `package.json` that is not the package's own manifest: Node.js goes by it. */
async function namedCode(
  archive: OpenArchive,
  manifests: readonly DecodedManifest[],
): Promise<ReadonlyMap<string, EntryPoint>> {
  const npm = "package.json";
  const file = archive.find(npm);
  if (file === undefined || file.size > MOST_MANIFEST_BYTES || manifests.some((known) => known.file === npm)) {
    return entryPoints(manifests);
  }
  const text = await readText(archive, file, { bytes: MOST_MANIFEST_BYTES, reason: "MANIFEST_TOO_LARGE" }, false);
  try {
    return entryPoints([...manifests, { file: npm, json: JSON.parse(text.replace(/^\ufeff/, "")) }]);
  } catch {
    return entryPoints(manifests);
  }
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
