import {
  type Check,
  CheckResult,
  type Plugin,
  type PluginDetails,
  type Release,
  ReleaseState,
  type Review,
  ReviewState,
  Visibility as WireVisibility,
} from "@registry/contracts/catalog";
import { type Caller, invalid, type ReleaseState as State, type Visibility } from "@registry/domain";
import { seesTeam } from "./model/access.ts";
import type { ReleaseCheck } from "./model/checks.ts";
import type { PluginDocument } from "./model/plugin.ts";
import type { ReleaseContent, ReleaseHead, ReleaseReview } from "./model/release.ts";

const visibilities = {
  public: WireVisibility.VISIBILITY_PUBLIC,
  internal: WireVisibility.VISIBILITY_INTERNAL,
  team: WireVisibility.VISIBILITY_TEAM,
  private: WireVisibility.VISIBILITY_PRIVATE,
} as const satisfies { readonly [visibility in Visibility]: WireVisibility };

const states = {
  staged: ReleaseState.RELEASE_STATE_STAGED,
  abandoned: ReleaseState.RELEASE_STATE_ABANDONED,
  published: ReleaseState.RELEASE_STATE_PUBLISHED,
  yanked: ReleaseState.RELEASE_STATE_YANKED,
  quarantined: ReleaseState.RELEASE_STATE_QUARANTINED,
  deleted: ReleaseState.RELEASE_STATE_DELETED,
} as const satisfies { readonly [state in State]: ReleaseState };

export function toVisibility(visibility: Visibility): WireVisibility {
  return visibilities[visibility];
}

/** @returns undefined where none is given */
export function fromVisibility(wire: WireVisibility): Visibility | undefined {
  if (wire === WireVisibility.UNRECOGNIZED) {
    const reason = "visibility: expected VISIBILITY_PUBLIC, VISIBILITY_INTERNAL, VISIBILITY_TEAM or VISIBILITY_PRIVATE";
    throw invalid("INVALID_VISIBILITY", reason, "/visibility");
  }
  return (Object.keys(visibilities) as Visibility[]).find((name) => visibilities[name] === wire);
}

/** @param caller who is shown the team as well, where that is for its eyes */
export function toPlugin(plugin: PluginDocument, caller?: Caller): Plugin {
  return {
    name: plugin._id,
    kind: plugin.kind,
    title: plugin.title,
    description: plugin.description,
    author: { ...plugin.author },
    license: plugin.license,
    homepage: plugin.homepage,
    repository: plugin.repository,
    tags: [...plugin.tags],
    category: plugin.category,
    owner: plugin.owner,
    visibility: toVisibility(plugin.visibility),
    verified: plugin.verified,
    latest: plugin.latest,
    channels: { ...plugin.channels },
    createdAt: plugin.createdAt,
    updatedAt: plugin.updatedAt,
    downloads: plugin.downloads,
    rating: undefined,
    deprecation: plugin.deprecation && { ...plugin.deprecation },
    revision: plugin.revision,
    capabilities: [...plugin.capabilities],
    documentation: plugin.documentation,
    ownerType: plugin.org === undefined ? "user" : "organisation",
    team: caller !== undefined && seesTeam(caller, plugin) ? (plugin.team ?? "") : "",
  };
}

/** The basic view. */
export function toRelease(release: ReleaseHead & { readonly manifestJson?: string }): Release {
  return {
    plugin: release.plugin,
    version: release.version,
    sha256: release.sha256,
    size: release.size,
    format: release.format,
    container: release.container,
    state: states[release.state],
    manifestJson: release.manifestJson ?? "",
    publishedAt: release.publishedAt,
    publishedBy: release.publishedBy,
    downloads: release.downloads,
    reason: release.reason,
    files: [],
    findings: [],
    checks: (release.checks ?? []).map((check) => toCheck(check)),
    review: release.review && toReview(release.review),
    deprecation: release.deprecation && { ...release.deprecation },
  };
}

const checkResults = {
  pending: CheckResult.CHECK_RESULT_UNSPECIFIED,
  passed: CheckResult.CHECK_RESULT_PASSED,
  failed: CheckResult.CHECK_RESULT_FAILED,
  error: CheckResult.CHECK_RESULT_ERROR,
} as const satisfies { readonly [result in ReleaseCheck["result"]]: CheckResult };

function toCheck({ name, result, summary, finishedAt }: ReleaseCheck, log = ""): Check {
  return { name, result: checkResults[result], summary, log, finishedAt };
}

const reviewStates = {
  pending: ReviewState.REVIEW_STATE_PENDING,
  released: ReviewState.REVIEW_STATE_RELEASED,
  rejected: ReviewState.REVIEW_STATE_REJECTED,
} as const satisfies { readonly [state in ReleaseReview["state"]]: ReviewState };

/** What reviewers were asked, and said, is between them and the owner. */
export function withoutReview(release: Release): Release {
  return release.review === undefined ? release : { ...release, review: undefined };
}

function toReview({ state, reasons, requestedAt, by, reason, at }: ReleaseReview): Review {
  return {
    state: reviewStates[state],
    reasons: [...reasons],
    requestedAt,
    reviewedBy: by ?? "",
    reason: reason ?? "",
    reviewedAt: at,
  };
}

export function toFullRelease(
  release: ReleaseHead & {
    readonly manifestJson?: string;
    readonly content?: ReleaseContent;
    readonly testLog?: string;
  },
): Release {
  const { content, checks = [], testLog } = release;
  return {
    ...toRelease(release),
    readme: content?.readme,
    changelog: content?.changelog,
    files: [...(content?.files ?? [])],
    findings: [...(content?.findings ?? [])],
    checks: checks.map((check) => toCheck(check, check.name === "tests" ? testLog : undefined)),
  };
}

/** Characters of text in an answer, to keep it below what a message may hold. */
export function weightOf(details: PluginDetails): number {
  const readme = (details.release?.readme?.length ?? 0) + (details.release?.changelog?.length ?? 0);
  const manifests = details.releases.reduce((sum, release) => sum + release.manifestJson.length + 300, 0);
  return readme + manifests + (details.release?.manifestJson.length ?? 0) + details.versions.length * 16 + 2000;
}
