import type { DeepPartial, ReadBlobRequest, Upload } from "@registry/contracts/storage";
import { invalid } from "@registry/domain";
import { parseTopFolder, type WantedPacking } from "./model/packing.ts";
import type { UploadedPackage } from "./model/upload.ts";

export function toUpload(upload: UploadedPackage): DeepPartial<Upload> {
  const { content } = upload;
  return {
    id: upload.id,
    sha256: upload.sha256,
    size: upload.size,
    container: content.container,
    format: content.format,
    kind: content.kind,
    name: content.name,
    version: content.version,
    recordJson: content.recordJson,
    manifestJson: content.manifestJson,
    ...(content.readme === null ? {} : { readme: content.readme }),
    ...(content.changelog === null ? {} : { changelog: content.changelog }),
    files: content.files.map(({ path, size, sha256 }) => ({ path, size, sha256 })),
    findings: content.findings.map(({ rule, severity, message, file, line }) => ({
      rule,
      severity,
      message,
      file: file ?? "",
      line: line ?? 0,
    })),
    expiresAt: upload.expiresAt,
    uploadedBy: upload.uploadedBy,
  };
}

/** Where nothing is said, the original is meant. @throws kind `invalid_argument`, reason `INVALID_TOP_FOLDER` */
export function wantedPacking(request: Pick<ReadBlobRequest, "packing" | "topFolder">): WantedPacking {
  switch (request.packing) {
    case "PACKING_UNSPECIFIED":
    case "PACKING_ORIGINAL":
      return { type: "original" };
    case "PACKING_TAR_GZ":
      return { type: "tar.gz", topFolder: parseTopFolder(request.topFolder) };
    case "PACKING_ZIP":
      return { type: "zip" };
    case "UNRECOGNIZED":
      throw invalid("INVALID_PACKING", "packing: expected PACKING_ORIGINAL, PACKING_TAR_GZ or PACKING_ZIP", "/packing");
    default:
      return request.packing satisfies never;
  }
}
