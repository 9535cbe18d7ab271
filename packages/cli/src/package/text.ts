import type { LeftOutCount } from "./left-out.ts";
import type { FindingShown, Verdict } from "./verdict.ts";

/** What a terminal could take for a command, or could hide or reorder, is shown as an escape. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Bytes in the largest unit that leaves at least 1 in front of it. */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `weather 1.2.0 (agenticraft, tool), 12 files, 34 kB, sha256 …` */
export function describePackage({ name, version, format, kind, files, size, sha256 }: Verdict): string {
  const parts = [
    `${name ?? "(no name)"} ${version ?? "(no version)"}${format === null ? "" : ` (${format}, ${kind})`}`,
    ...(files === null ? [] : [`${files} ${files === 1 ? "file" : "files"}`]),
    ...(size === null ? [] : [sizeText(size)]),
    ...(sha256 === null ? [] : [`sha256 ${sha256}`]),
  ];
  return printable(parts.join(", "));
}

/** First line the verdict, then every error of a refusal, then every finding. */
export function verdictLines(verdict: Verdict): string[] {
  return [
    headline(verdict),
    ...verdict.errors.map(({ pointer, reason }) =>
      printable(reason === verdict.detail ? `  ${pointer}` : `  ${pointer}  ${reason}`),
    ),
    ...verdict.findings.map(findingLine),
  ];
}

function headline(verdict: Verdict): string {
  switch (verdict.verdict) {
    case "accepted":
      return `accepted: ${describePackage(verdict)}`;
    case "held":
      return `held for review: ${describePackage(verdict)}`;
    case "refused":
      return `refused: ${verdict.code} — ${printable(verdict.detail ?? "")}`;
    default:
      return verdict.verdict satisfies never;
  }
}

function findingLine({ file, line, pointer, severity, rule, message, action }: FindingShown): string {
  const place = line === null ? (pointer === null ? "" : `#${pointer}`) : `:${line}`;
  return printable(`${file ?? "package"}${place}  ${severity}  ${rule}  ${message}  → ${action}`);
}

/** One line on what was left out, or none. */
export function leftOutLines(leftOut: readonly LeftOutCount[]): string[] {
  if (leftOut.length === 0) return [];
  return [`left out: ${leftOut.map(({ pattern, count }) => `${printable(pattern)} (${count})`).join(", ")}`];
}
