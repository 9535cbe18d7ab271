import type { DeepPartial, ReadBlobRequest, RunPackageTestsResponse, Upload } from "@registry/contracts/storage";
import { invalid } from "@registry/domain";
import { parseTopFolder, type WantedPacking } from "./model/packing.ts";
import type { PackageFile, UploadedPackage } from "./model/upload.ts";
import type { TestsReport, TestsResult } from "./plugin-tests/outcome.ts";

/** @param needsTests whether an upload with these files has to be tested */
export function toUpload(upload: UploadedPackage, needsTests: NeedsTests): DeepPartial<Upload> {
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
    findings: content.findings.map(({ rule, severity, message, file, line, pointer }) => ({
      rule,
      severity,
      message,
      file: file ?? "",
      line: line ?? 0,
      pointer: pointer ?? "",
    })),
    expiresAt: upload.expiresAt,
    uploadedBy: upload.uploadedBy,
    needsTests: needsTests(content.files),
  };
}

export type NeedsTests = (files: readonly Pick<PackageFile, "path">[]) => boolean;

const wireResults = {
  passed: "TESTS_RESULT_PASSED",
  failed: "TESTS_RESULT_FAILED",
  error: "TESTS_RESULT_ERROR",
} as const satisfies Record<TestsResult, RunPackageTestsResponse["result"]>;

export function toTestsResponse({ result, summary, log }: TestsReport): DeepPartial<RunPackageTestsResponse> {
  return { result: wireResults[result], summary, log };
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
