import type { PublishReleaseRequest } from "@registry/contracts/catalog";
import type { Upload } from "@registry/contracts/storage";
import {
  type Caller,
  type Digest,
  invalid,
  isChannelName,
  isRegistryError,
  type PluginName,
  parseDigest,
  parsePluginName,
  parseVersion,
  quote,
  RegistryError,
  type Version,
  type Visibility,
} from "@registry/domain";
import { readDescriptive } from "../model/descriptive.ts";
import type { ReleaseDocument } from "../model/release.ts";
import { fromVisibility } from "../wire.ts";

export type Publisher = Extract<Caller, { type: "user" }>;

/** What is to become a release: all that does not depend on what the catalog holds. */
export interface Candidate {
  readonly publisher: Publisher;
  readonly uploadId: string;
  readonly name: PluginName;
  readonly version: Version;
  readonly sha256: Digest;
  /** For a new name. */
  readonly visibility: Visibility;
  readonly channel: string | undefined;
  readonly package: Pick<ReleaseDocument, "size" | "format" | "container" | "manifestJson" | "described" | "content">;
}

/**
 * Reads the name and version that the archive carries, which are the truth; what it does not carry comes from the request.
 * @throws `rejected`, reasons `MANIFEST_MISMATCH`, `INVALID_NAME`, `RESERVED_NAME`, `INVALID_VERSION`, `CHECKS_FAILED`
 * @throws `invalid_argument` INVALID_CHANNEL
 */
export function readCandidate(upload: Upload, request: PublishReleaseRequest, publisher: Publisher): Candidate {
  const channel = readChannel(request.channel);
  const visibility = fromVisibility(request.visibility) ?? "public";
  compare("name", upload.name, request.expectedName);
  compare("version", upload.version, request.expectedVersion);
  const name = rejectIfInvalid(() => parsePluginName(upload.name || request.expectedName));
  const version = rejectIfInvalid(() => parseVersion(upload.version || request.expectedVersion));
  assertChecked(upload);
  return {
    publisher,
    uploadId: upload.id,
    name,
    version,
    sha256: parseDigest(upload.sha256),
    visibility,
    channel,
    package: {
      size: upload.size,
      format: upload.format,
      container: upload.container,
      manifestJson: upload.manifestJson,
      described: readDescriptive(upload.kind, upload.recordJson),
      content: {
        ...(upload.readme === undefined ? {} : { readme: upload.readme }),
        ...(upload.changelog === undefined ? {} : { changelog: upload.changelog }),
        files: upload.files.map(({ path, size, sha256 }) => ({ path, size, sha256 })),
        findings: upload.findings.map(({ rule, severity, message, file, line }) => {
          return { rule, severity, message, file, line };
        }),
      },
    },
  };
}

/** `latest` follows the versions by itself, so asking for it is no move by hand. */
function readChannel(channel: string): string | undefined {
  if (channel === "" || channel === "latest") return undefined;
  if (isChannelName(channel)) return channel;
  throw invalid("INVALID_CHANNEL", `channel: ${quote(channel)} is no channel; use a-z, then a-z 0-9 -`, "/channel");
}

function compare(field: "name" | "version", carried: string, expected: string): void {
  if (carried === "" || expected === "" || carried === expected) return;
  const message = `The archive holds ${field} ${quote(carried)}, the request says ${quote(expected)}; make them agree`;
  throw new RegistryError("rejected", "MANIFEST_MISMATCH", message, {
    fields: [{ pointer: `/${field}`, reason: message }],
  });
}

function rejectIfInvalid<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    throw new RegistryError("rejected", error.reason, error.message, { fields: error.fields });
  }
}

/** Nothing becomes visible whose checks did not pass. */
function assertChecked(upload: Upload): void {
  const failed = upload.findings.filter((finding) => finding.severity === "error");
  if (failed.length === 0) return;
  throw new RegistryError("rejected", "CHECKS_FAILED", `The package was refused: ${failed[0]?.message ?? ""}`, {
    fields: failed.slice(0, 50).map(({ file, message }) => ({ pointer: `archive:${file}`, reason: message })),
  });
}
