import { CheckResult, ReleaseState, ReviewState, Visibility as WireVisibility } from "@registry/contracts/catalog";
import type { Change } from "@registry/contracts/changes";
import { listedStates, type Visibility } from "@registry/domain";

/** Plain words for what the contracts spell as constants. */
export function visibilityWord(visibility: WireVisibility): Visibility {
  switch (visibility) {
    case WireVisibility.VISIBILITY_PUBLIC:
      return "public";
    case WireVisibility.VISIBILITY_INTERNAL:
      return "internal";
    case WireVisibility.VISIBILITY_TEAM:
      return "team";
    case WireVisibility.VISIBILITY_PRIVATE:
    // What is not said is not shown to anybody it might not be meant for.
    case WireVisibility.VISIBILITY_UNSPECIFIED:
    case WireVisibility.UNRECOGNIZED:
      return "private";
  }
}

export function wireVisibility(word: Visibility): WireVisibility {
  const words = {
    public: WireVisibility.VISIBILITY_PUBLIC,
    internal: WireVisibility.VISIBILITY_INTERNAL,
    team: WireVisibility.VISIBILITY_TEAM,
    private: WireVisibility.VISIBILITY_PRIVATE,
  } as const;
  return words[word];
}

/** staged, published, yanked, … */
export function stateWord(state: ReleaseState): string {
  return state === ReleaseState.RELEASE_STATE_UNSPECIFIED
    ? "unknown"
    : state.slice("RELEASE_STATE_".length).toLowerCase();
}

/** Whether everybody who may see the plugin may see a release in this state. */
export function isListed(state: ReleaseState): boolean {
  const word = stateWord(state);
  return listedStates.some((listed) => listed === word);
}

/**
 * Who may have a release's bytes: what is hidden is for nobody but its owner and reviewers, however public the plugin,
 * so nothing on the way may keep it, and its address needs a signature.
 */
export function reachOf({ state }: { readonly state: ReleaseState }, visibility: WireVisibility): Visibility {
  return isListed(state) ? visibilityWord(visibility) : "private";
}

export function checkWord(result: CheckResult): "passed" | "failed" | "error" | "pending" {
  switch (result) {
    case CheckResult.CHECK_RESULT_PASSED:
      return "passed";
    case CheckResult.CHECK_RESULT_FAILED:
      return "failed";
    case CheckResult.CHECK_RESULT_UNSPECIFIED:
      return "pending";
    // What is not understood tells nothing of the release.
    case CheckResult.CHECK_RESULT_ERROR:
    case CheckResult.UNRECOGNIZED:
      return "error";
  }
}

export function reviewWord(state: ReviewState): "pending" | "released" | "rejected" | "unknown" {
  switch (state) {
    case ReviewState.REVIEW_STATE_PENDING:
      return "pending";
    case ReviewState.REVIEW_STATE_RELEASED:
      return "released";
    case ReviewState.REVIEW_STATE_REJECTED:
      return "rejected";
    case ReviewState.REVIEW_STATE_UNSPECIFIED:
    case ReviewState.UNRECOGNIZED:
      return "unknown";
  }
}

/** ISO 8601 with milliseconds, or null. */
export function timeText(time: Date | undefined): string | null {
  return time === undefined ? null : time.toISOString();
}

export function orNull(text: string): string | null {
  return text === "" ? null : text;
}

/** One change of the feed, as it is told everywhere. */
export function changeFields({ id, type, plugin, version, time, sha256 }: Change): object {
  return { id, type, plugin, version: orNull(version), time: timeText(time), sha256: orNull(sha256) };
}
