import type { Finding } from "../inspection.ts";
import { controls, directionControls, directionMarks, fillers, joiners, selectors, tags } from "./code-points.ts";
import { negated, patterns, spokenOf } from "./instruction-patterns.ts";
import { LineCounter } from "./lines.ts";
import { type Span, Zones } from "./zones.ts";

/** Where a text comes from: agents read a skill as advice, a description with every request, a readme now and then. */
export type TextKind = "skill" | "description" | "readme";

/** How far apart two parts of one demand may be, in characters. */
const NEAR = { verb: 80, demand: 300 } as const;

interface Hit extends Span {
  readonly strong: boolean;
  readonly what: string;
}

/**
 * Finds demands on the agent against its user: `instruction-override` (high) for clear ones, `instruction-suspicious`
 * (medium) for parts of such demands and for clear ones that are shown in code or quotation marks as examples. One finding
 * for each sort and strength, at its first line; of a readme, all are medium. Time is linear in the text.
 */
export function scanInstructions(text: string, file: string, kind: TextKind): readonly Finding[] {
  const plain = plainOf(text);
  const zones = new Zones(plain);
  const hits = [
    ...overrides(plain, zones),
    ...concealments(plain, zones, kind),
    ...comments(plain, zones),
    ...markers(plain, zones),
    ...blobs(plain),
    ...parts(plain, kind),
  ];
  const lines = new LineCounter(plain);
  return firstOfEach(kind === "readme" ? hits.map((hit) => ({ ...hit, strong: false })) : hits).map((hit) =>
    toFinding(hit, file, lines),
  );
}

const invisible = new RegExp(
  `[${controls}${fillers}${joiners}${directionControls}${directionMarks}${selectors}${tags}]`,
  "gu",
);

/** The text as an agent takes it: look-alike forms made plain, invisible characters out. Lines stay where they are. */
function plainOf(text: string): string {
  return /[^\t\n\r -~]/.test(text) ? text.normalize("NFKC").replace(invisible, "") : text;
}

function spans(text: string, pattern: RegExp): readonly Span[] {
  return Array.from(text.matchAll(pattern), ({ 0: match, index }) => ({ start: index, end: index + match.length }));
}

/** Those of `spans` that have one of `others` within `reach` characters, either way. Both are sorted by their start. */
function near(wanted: readonly Span[], others: readonly Span[], reach: number): readonly Span[] {
  let next = 0;
  return wanted.filter(({ start, end }) => {
    while (next < others.length && (others[next]?.end ?? 0) < start - reach) next++;
    const other = others[next];
    return other !== undefined && other.start <= end + reach;
  });
}

/** What the sentence says before an offset. */
function sentenceBefore(text: string, offset: number): string {
  const before = text.slice(Math.max(0, offset - 160), offset);
  const parts = before.split(/[.!?;](?:\s|$)|\n\s{0,20}(?:\n|[-*#>|]|\d{1,3}[.)])/);
  return parts.at(-1) ?? "";
}

/** Of one sort and file: whoever shows more examples than that has to have them looked at. */
const MOST_EXCUSED = 300;

/** Tells what is only shown, and said to be so: quotation marks alone excuse nothing. */
function excuses(zones: Zones): (span: Span) => boolean {
  let left = MOST_EXCUSED;
  return (span) => zones.isShown(span) && left-- > 0 && zones.isExcused(span);
}

function overrides(text: string, zones: Zones): readonly Hit[] {
  const excused = excuses(zones);
  return spans(text, patterns.override).flatMap((span) => {
    const before = sentenceBefore(text, span.start);
    if (negated.test(before)) return [];
    const strong = !spokenOf.test(before) && !excused(span);
    return [{ ...span, strong, what: "tells the agent to give up the instructions that it has" }];
  });
}

/** Verbs that the sentence asks for, rather than forbids. */
function asked(text: string, verbs: readonly Span[]): readonly Span[] {
  return verbs.filter(({ start }) => !negated.test(sentenceBefore(text, start).slice(-40)));
}

function concealments(text: string, zones: Zones, kind: TextKind): readonly Hit[] {
  const concealed = [
    ...spans(text, patterns.conceal),
    ...spans(text, patterns.unseen).filter(({ start }) => !negated.test(sentenceBefore(text, start))),
  ].sort((a, b) => a.start - b.start);
  if (concealed.length === 0) return [];
  const sends = asked(text, spans(text, patterns.send));
  const reads = asked(text, spans(text, patterns.read));
  const sensitive = spans(text, patterns.sensitive);
  const acts = [
    ...near(sends, sensitive, NEAR.verb),
    ...near(reads, sensitive, NEAR.verb),
    ...near(sends, spans(text, patterns.elsewhere), NEAR.verb),
    ...(kind === "description" ? spans(text, patterns.tool) : []),
  ].sort((a, b) => a.start - b.start);
  const excused = excuses(zones);
  const grave = new Set(near(concealed, acts, NEAR.demand));
  return concealed.map((span) => ({
    ...span,
    strong: grave.has(span) && !excused(span),
    what: grave.has(span)
      ? "asks for data or actions and to keep that from the user"
      : "tells the agent to keep something from the user",
  }));
}

/** A comment is not shown to people, so it conceals by itself. */
function comments(text: string, zones: Zones): readonly Hit[] {
  return zones.comments.flatMap((span) => {
    const comment = text.slice(span.start, span.end);
    const sends = near(asked(comment, spans(comment, patterns.send)), spans(comment, patterns.sensitive), NEAR.verb);
    const strong = near(sends, spans(comment, patterns.elsewhere), NEAR.demand).length > 0;
    return strong ? [{ ...span, strong, what: "asks for data in a comment, which people do not see" }] : [];
  });
}

function markers(text: string, zones: Zones): readonly Hit[] {
  return spans(text, patterns.marker).map((span) => ({
    ...span,
    strong: !zones.isShown(span),
    what: "holds marks by which a model tells who speaks",
  }));
}

/** Fences do not excuse it: commands stand in them. A picture in a `data:` address is never said to be run. */
function blobs(text: string): readonly Hit[] {
  const decoded = near(spans(text, patterns.blob), spans(text, patterns.decode), NEAR.demand);
  return near(decoded, spans(text, patterns.execute), NEAR.demand).map((span) => ({
    ...span,
    strong: true,
    what: "has something decoded and run that people cannot read",
  }));
}

function parts(text: string, kind: TextKind): readonly Hit[] {
  const tags = kind === "description" ? spans(text, patterns.tag) : [];
  const keys = near(spans(text, patterns.keys), asked(text, spans(text, patterns.send)), NEAR.verb);
  return [
    ...tags.map((span) => ({
      ...span,
      strong: false,
      what: "uses a tag that gives it more weight than a description has",
    })),
    ...spans(text, patterns.pipe).map((span) => ({
      ...span,
      strong: false,
      what: "has a download run unseen in a shell",
    })),
    ...near(keys, spans(text, patterns.elsewhere), NEAR.demand).map((span) => ({
      ...span,
      strong: false,
      what: "speaks of sending private keys elsewhere",
    })),
  ];
}

function firstOfEach(hits: readonly Hit[]): readonly Hit[] {
  const first = new Map<string, Hit>();
  for (const hit of [...hits].sort((a, b) => a.start - b.start)) {
    const key = `${hit.strong} ${hit.what}`;
    if (!first.has(key)) first.set(key, hit);
  }
  return [...first.values()].filter((hit) => hit.strong || !first.has(`true ${hit.what}`));
}

function toFinding({ strong, what, start }: Hit, file: string, lines: LineCounter): Finding {
  return {
    rule: strong ? "instruction-override" : "instruction-suspicious",
    severity: strong ? "high" : "medium",
    message: `The text ${what}; say plainly what the user gets, or show what is meant as an example in a code block`,
    file,
    line: lines.at(start),
  };
}
