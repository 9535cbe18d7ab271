import type { FileEntry, OpenArchive } from "./archive.ts";
import { readContents, readText } from "./contents.ts";
import { type Detected, detectFormat } from "./detect.ts";
import { readFormat } from "./formats/read.ts";
import type { Finding, Inspection } from "./inspection.ts";
import type { ArchiveLimits } from "./limits.ts";
import { type ArchiveFile, type OpenOptions, openArchive } from "./open.ts";
import { present } from "./present.ts";
import { FindingCollector, scanDecoded } from "./scan/index.ts";

/**
 * Says what a package holds, after checking that it may be kept at all.
 *
 * Order: structure of the archive before anything is inflated, then its manifest, then every byte of every file.
 * Memory stays at a few MiB and the texts that are returned, whatever the size of the package. Depends on
 * nothing but its arguments, so it can run in a worker; the result is plain data.
 *
 * Throws RegistryError for anything wrong with the package: kinds `unsupported_media`, `too_large` and `rejected`,
 * with the reasons listed in this package's README. Failures of the disk come through as they are.
 */
export async function inspectArchive(
  file: ArchiveFile,
  limits: ArchiveLimits,
  options: OpenOptions = {},
): Promise<Inspection> {
  const archive = await openArchive(file, limits, options);
  try {
    return await inspect(archive, limits);
  } finally {
    await archive.close();
  }
}

async function inspect(archive: OpenArchive, limits: ArchiveLimits): Promise<Inspection> {
  const detected = detectFormat(archive);
  const reading = await readFormat(archive, detected, limits);
  const readme = await optionalText(archive, findDocument(archive, /^readme(?:\.(?:md|markdown|txt|rst))?$/i), limits);
  const changelog = await optionalText(
    archive,
    findDocument(archive, /^(?:changelog|changes|history)(?:\.(?:md|markdown|txt|rst))?$/i),
    limits,
  );
  const found = new FindingCollector(detected.format);
  found.add([
    ...detected.findings,
    ...topFolderFindings(archive, detected, reading.name),
    ...reading.findings,
    ...reading.manifests.flatMap(scanDecoded),
  ]);
  const contents = await readContents(archive, found, reading.manifests);
  return present({
    container: archive.container,
    topFolder: archive.topFolder,
    format: detected.format,
    kind: reading.kind,
    name: reading.name,
    version: reading.version,
    record: reading.record,
    manifest: reading.manifest,
    readme,
    changelog,
    hasLicense: findDocument(archive, /^(?:licen[cs]e|copying|unlicense)(?:[.-].+)?$/i) !== undefined,
    files: contents.files,
    findings: found.result(),
    unpackedSize: contents.unpackedSize,
  });
}

/** A file at the root; Markdown is preferred, since paths are sorted and `.md` is the usual spelling. */
function findDocument(archive: OpenArchive, name: RegExp): FileEntry | undefined {
  const found = archive.files.filter((file) => name.test(file.path));
  return found.find((file) => file.path.toLowerCase().endsWith(".md")) ?? found[0];
}

async function optionalText(
  archive: OpenArchive,
  file: FileEntry | undefined,
  limits: ArchiveLimits,
): Promise<string | undefined> {
  return file === undefined
    ? undefined
    : readText(archive, file, { bytes: limits.readmeBytes, reason: "README_TOO_LARGE" }, false);
}

function topFolderFindings(archive: OpenArchive, detected: Detected, name: string | undefined): readonly Finding[] {
  const expected = detected.format === "agenticraft" && archive.topFolder !== "" && archive.topFolder !== name;
  if (!expected) return [];
  return [
    {
      rule: "top-folder-name",
      severity: "info",
      message: "The top folder of the tar is not named after the plugin; clients get a packing where it is",
    },
  ];
}
