import type { PublishReleaseRequest } from "@registry/contracts/catalog";
import type { Upload } from "@registry/contracts/storage";
import {
  checksFailed,
  type Digest,
  invalid,
  isChannelName,
  judge,
  type PluginName,
  type Policy,
  parseDigest,
  parseOrgName,
  parseTeamName,
  quote,
  readIdentity,
  type UserCaller,
  type Verdict,
  type Version,
  type Visibility,
} from "@registry/domain";
import { readDependencies } from "../model/dependencies.ts";
import { readDescriptive } from "../model/descriptive.ts";
import type { ReleaseContent, ReleaseDocument, ReleaseFinding } from "../model/release.ts";
import { fromVisibility } from "../wire.ts";

export type Publisher = UserCaller;

/** What is to become a release: all that does not depend on what the catalog holds. */
export interface Candidate {
  readonly publisher: Publisher;
  readonly uploadId: string;
  readonly name: PluginName;
  readonly version: Version;
  readonly sha256: Digest;
  /** For a new name, as the next two. */
  readonly visibility: Visibility;
  /** Organisation that is to own it; undefined leaves it to the namespace. */
  readonly owner: string | undefined;
  readonly team: string | undefined;
  readonly channel: string | undefined;
  /** What the policy makes of the package; never `refuse`. */
  readonly verdict: Verdict<ReleaseFinding>;
  /** Its own tests are to be run before anybody sees it. */
  readonly needsTests: boolean;
  readonly package: Pick<
    ReleaseDocument,
    "size" | "format" | "container" | "manifestJson" | "described" | "dependencies"
  > & {
    readonly content: ReleaseContent;
  };
}

/**
 * Reads the name and version that the archive carries, which are the truth; what it does not carry comes from the request.
 * @throws `rejected`, reasons `MANIFEST_MISMATCH`, `INVALID_NAME`, `RESERVED_NAME`, `INVALID_VERSION`, `CHECKS_FAILED`
 * @throws `invalid_argument` INVALID_CHANNEL, INVALID_ORGANISATION, INVALID_TEAM
 */
export function readCandidate(
  upload: Upload,
  request: PublishReleaseRequest,
  publisher: Publisher,
  policy: Policy,
): Candidate {
  const channel = readChannel(request.channel);
  const visibility = fromVisibility(request.visibility) ?? "public";
  const { name, version } = readIdentity(upload, { name: request.expectedName, version: request.expectedVersion });
  const verdict = judge(upload.findings, policy);
  if (verdict.outcome === "refuse") throw checksFailed(verdict.findings);
  return {
    publisher,
    uploadId: upload.id,
    name,
    version,
    verdict,
    needsTests: upload.needsTests,
    sha256: parseDigest(upload.sha256),
    visibility,
    owner: request.owner === "" ? undefined : parseOrgName(request.owner, "/owner"),
    team: request.team === "" ? undefined : parseTeamName(request.team, "/team"),
    channel,
    package: {
      size: upload.size,
      format: upload.format,
      container: upload.container,
      manifestJson: upload.manifestJson,
      described: readDescriptive(upload.kind, upload.recordJson),
      dependencies: readDependencies(upload.recordJson),
      content: {
        ...(upload.readme === undefined ? {} : { readme: upload.readme }),
        ...(upload.changelog === undefined ? {} : { changelog: upload.changelog }),
        files: upload.files.map(({ path, size, sha256 }) => ({ path, size, sha256 })),
        findings: verdict.findings,
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
