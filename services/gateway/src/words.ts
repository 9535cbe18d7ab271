import { ReleaseState, Visibility as WireVisibility } from "@registry/contracts/catalog";
import type { Visibility } from "@registry/domain";

/** Plain words for what the contracts spell as constants. */
export function visibilityWord(visibility: WireVisibility): Visibility {
  switch (visibility) {
    case WireVisibility.VISIBILITY_PUBLIC:
      return "public";
    case WireVisibility.VISIBILITY_INTERNAL:
      return "internal";
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

/** ISO 8601 with milliseconds, or null. */
export function timeText(time: Date | undefined): string | null {
  return time === undefined ? null : time.toISOString();
}

export function orNull(text: string): string | null {
  return text === "" ? null : text;
}
