import type { Finding } from "../inspection.ts";

const scriptFile =
  /\.(?:sh|bash|zsh|fish|ksh|csh|ps1|psm1|bat|cmd|vbs|vbe|wsf|applescript|scpt|pl|pm|rb|php|lua|tcl|awk|r)$/i;
const makeFile = /(?:^|\/)(?:gnu)?makefile$|\.mk$/i;
const interpreter =
  /^\ufeff?#!.{0,200}?[\s/](?:(?:ba|z|da|k|c|tc|fi)?sh|perl|ruby|pwsh|powershell|php|lua|tclsh|awk|gawk|Rscript|osascript|make)[\d.]*(?:\s|$)/;

const comment = /^\s{0,40}(?:#|rem\s|::)/i;
const fetched = "\\b(?:curl|wget|iwr|irm|invoke-webrequest|invoke-restmethod|downloadstring)\\b";
const shell = "(?:ba|z|da|k|fi)?sh|python[\\d.]{0,6}|node|perl|ruby|pwsh|iex|invoke-expression";
const remote = [
  new RegExp(
    `${fetched}[^\\n]{1,400}?\\|\\s{0,8}(?:sudo\\s{1,8}(?:-\\w{1,8}\\s{1,8})?)?(?:/[\\w/]{1,40}/)?(?:${shell})\\b`,
    "i",
  ),
  new RegExp(
    `\\b(?:${shell}|eval|source|\\.)\\s{1,8}(?:-\\w{1,8}\\s{1,8})?["']?(?:<\\(|\\$\\(|\`|\\()\\s{0,8}${fetched}`,
    "i",
  ),
];
const LONGEST_LINE = 2000;

/** Whether a file is a script of an interpreter whose language is not scanned, by its name or its `#!` line. */
export function isOtherScript(path: string, firstLine: string): boolean {
  return scriptFile.test(path) || makeFile.test(path) || interpreter.test(firstLine);
}

/**
 * A script that is not scanned is told, since people may want to read it; `shell-remote-code` for the one thing that is
 * clear by its words: what is downloaded is run unseen.
 */
export function scanOtherScript(text: string, file: string): readonly Finding[] {
  const findings: Finding[] = [];
  if (!makeFile.test(file)) {
    const message = "A script in a language that is not scanned: read it before it is run";
    findings.push({ rule: "script-not-scanned", severity: "info", message, file });
  }
  for (const [index, line] of text.split("\n").entries()) {
    const short = line.slice(0, LONGEST_LINE);
    if (comment.test(short) || !remote.some((pattern) => pattern.test(short))) continue;
    const message = "The script runs what it downloads, unseen: ship what it needs, or check a digest before it is run";
    return [...findings, { rule: "shell-remote-code", severity: "medium", message, file, line: index + 1 }];
  }
  return findings;
}
