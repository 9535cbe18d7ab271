import type { Finding } from "../inspection.ts";
import { controls, directionControls, fillers, joiners, selectors, tags } from "./code-points.ts";
import { isJoinerNeeded } from "./joiners.ts";
import { LineCounter } from "./lines.ts";

/**
 * Code points that do not show: control characters, fillers, direction overrides, zero-width ones, variation selectors
 * and tags. Plain ASCII text passes this one search without a hit.
 */
const suspects = new RegExp(`[${controls}${fillers}${joiners}${directionControls}]|[${selectors}]+|[${tags}]+`, "gu");
/** This many zero-width characters in a row carry a message; one or two are an accident of copying. */
const HIDDEN_RUN = 8;
/** Letters of ASCII have no variants: one selector is an accident, several are bytes in disguise. */
const MOST_ODD_SELECTORS = 3;

type Kind = "bidi" | "tags" | "selectors" | "selector" | "stray" | "run" | "invisible" | "control";

interface Class {
  readonly rule: string;
  readonly severity: Finding["severity"];
  readonly what: string;
}
const classes: { readonly [K in Kind]: Class } = {
  bidi: {
    rule: "bidi-control",
    severity: "critical",
    what: "characters that turn the direction of writing, so that the text reads otherwise than it is",
  },
  tags: { rule: "hidden-characters", severity: "critical", what: "tag characters, which hide text from people" },
  selectors: {
    rule: "hidden-characters",
    severity: "critical",
    what: "variation selectors that vary nothing and so hide data",
  },
  run: { rule: "hidden-characters", severity: "high", what: "a long run of invisible characters" },
  selector: { rule: "hidden-characters", severity: "medium", what: "variation selectors that vary nothing" },
  stray: { rule: "hidden-characters", severity: "medium", what: "variation selectors without anything to vary" },
  invisible: { rule: "hidden-characters", severity: "medium", what: "invisible characters" },
  control: { rule: "hidden-characters", severity: "medium", what: "control characters" },
};

interface Seen {
  readonly offset: number;
  count: number;
  readonly points: Set<number>;
}

/**
 * Characters that nobody sees but an agent or a compiler reads: one finding for each class of them, which names the
 * code points, how many there are and the first line. Emoji and the scripts that need joiners keep theirs.
 */
export function scanCharacters(text: string, file: string): readonly Finding[] {
  const seen = new Map<Kind, Seen>();
  let runEnd = -1;
  let run = 0;
  for (const { 0: match, index } of text.matchAll(suspects)) {
    const kind = kindOf(text, match, index);
    if (kind === undefined) continue;
    run = index === runEnd ? run + 1 : 1;
    runEnd = index + match.length;
    const final = kind === "invisible" && run >= HIDDEN_RUN ? "run" : kind;
    note(seen, final, match, index);
  }
  const odd = seen.get("selector");
  if (odd !== undefined && odd.count > MOST_ODD_SELECTORS) {
    seen.delete("selector");
    seen.set("selectors", merge(odd, seen.get("selectors")));
  }
  const lines = new LineCounter(text);
  return [...seen].map(([kind, found]) => toFinding(classes[kind], found, file, lines.at(found.offset)));
}

function kindOf(text: string, match: string, index: number): Kind | undefined {
  const point = match.codePointAt(0) ?? 0;
  if (point === 0xfeff && index === 0) return undefined;
  if ((point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069)) return "bidi";
  if (point >= 0xe0000 && point <= 0xe007f) return isFlag(text, match, index) ? undefined : "tags";
  if ((point >= 0xfe00 && point <= 0xfe0f) || point >= 0xe0100) return selectorKind(text, match, index);
  if (point === 0x200c || point === 0x200d) return isJoinerNeeded(text, index) ? undefined : "invisible";
  return point < 0x20 || (point >= 0x7f && point <= 0x9f) ? "control" : "invisible";
}

/** The only flags of this kind that are drawn: England, Scotland, Wales and states of the USA. */
function isFlag(text: string, match: string, index: number): boolean {
  const code = [...match].map((tag) => String.fromCharCode((tag.codePointAt(0) ?? 0) - 0xe0000)).join("");
  return text.slice(index - 2, index) === "\u{1F3F4}" && /^(?:gb(?:eng|sct|wls)|us[a-z]{2})\x7f$/.test(code);
}

/** One selector follows what it varies; Han characters have the supplementary ones. Doubled and stray ones are slips. */
function selectorKind(text: string, match: string, index: number): Kind | undefined {
  const points = [...match];
  const supplementary = match.includes("\uDB40");
  if (points.length > 2 || (points.length === 2 && (supplementary || points[0] !== points[1]))) return "selectors";
  if (points.length === 2) return "stray";
  const base = text.slice(Math.max(0, index - 2), index);
  if (supplementary) return /\p{Script=Han}$/u.test(base) ? undefined : "selector";
  if (/[A-Za-z]$/.test(base)) return "selector";
  return index === 0 || /\s$/.test(base) ? "stray" : undefined;
}

function note(seen: Map<Kind, Seen>, kind: Kind, match: string, offset: number): void {
  const found = seen.get(kind) ?? { offset, count: 0, points: new Set<number>() };
  for (const character of match) {
    found.count++;
    found.points.add(character.codePointAt(0) ?? 0);
  }
  seen.set(kind, found);
}

function merge(a: Seen, b: Seen | undefined): Seen {
  if (b === undefined) return a;
  const points = new Set([...a.points, ...b.points]);
  return { offset: Math.min(a.offset, b.offset), count: a.count + b.count, points };
}

const SHOWN = 5;

function toFinding({ rule, severity, what }: Class, { count, points }: Seen, file: string, line: number): Finding {
  const names = [...points].slice(0, SHOWN).map((point) => `U+${point.toString(16).toUpperCase().padStart(4, "0")}`);
  const more = points.size > SHOWN ? " and others" : "";
  const message = `${count} × ${names.join(", ")}${more}: ${what}; take them out, or write them as escapes`;
  return { rule, severity, message, file, line };
}
