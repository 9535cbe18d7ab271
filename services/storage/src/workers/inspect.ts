import { type Finding, type Inspection, inspectArchive } from "@registry/archive";
import type { PackageContent, PackageFinding } from "../model/upload.ts";
import type { Tasks } from "./tasks.ts";

/** @throws RegistryError for anything wrong with the package */
export async function inspect(input: Tasks["inspect"]["input"]): Promise<PackageContent> {
  const { path, size, limits, spoolDirectory } = input;
  return toContent(await inspectArchive({ path, size }, limits, { spoolDirectory }));
}

function toContent(inspection: Inspection): PackageContent {
  const { container, topFolder, format, kind, name, version, record, manifest, readme, changelog } = inspection;
  return {
    container,
    topFolder,
    format,
    kind,
    name: name ?? "",
    version: version ?? "",
    recordJson: JSON.stringify(record),
    manifestJson: JSON.stringify(manifest),
    readme: readme ?? null,
    changelog: changelog ?? null,
    files: inspection.files.map((file) => ({ path: file.path, size: file.size, sha256: file.sha256 })),
    findings: inspection.findings.map(toFinding),
  };
}

function toFinding({ rule, severity, message, file, line, pointer }: Finding): PackageFinding {
  return { rule, severity, message, file: file ?? null, line: line ?? null, pointer: pointer ?? null };
}
