import type { Finding } from "../inspection.ts";
import { gravest } from "./gravest.ts";
import { LineCounter } from "./lines.ts";
import { entropyOf, isPlaceholder } from "./placeholder.ts";
import { isReal, secretShapes } from "./secret-shapes.ts";

/** Findings of one file, and while it is searched of each rule and severity: a file full of secrets needs no complete list. */
const MOST_FINDINGS = 20;

interface Hit {
  readonly offset: number;
  readonly kind: string;
  readonly severity: Finding["severity"];
  readonly rule: string;
}

/** Whether enough of its rule and severity was found in the file. */
type IsTold = (kind: Pick<Hit, "rule" | "severity">) => boolean;

const PRIVATE_KEY = "-----BEGIN ";
const TELEGRAM = ":AA";
const shapesByPrefix = Map.groupBy(secretShapes, ({ prefix }) => prefix);
/** Longest first, so that one which begins with another is told from it. */
const prefixes = [...shapesByPrefix.keys()]
  .sort((a, b) => b.length - a.length)
  .map((prefix) => RegExp.escape(prefix))
  .join("|");
/**
 * Where any of the shapes may begin: never inside of a word, except after an escaped line end of a string literal. So
 * no two attempts walk over the same characters, however hostile the text.
 */
const starts = new RegExp(`(?:(?<![\\w-])|(?<=\\\\[nrt]))(?:${prefixes}|A[KS]IA)|${PRIVATE_KEY}|${TELEGRAM}`, "g");

/**
 * Private keys and tokens in a text, told by shape, checksum and variety of their characters; placeholders are passed
 * over. A finding names kind and place, never a part of the secret. Every shape is bounded, so the time is linear.
 */
export function scanSecrets(text: string, file: string): readonly Finding[] {
  const lines = new LineCounter(text);
  const findings: Finding[] = [];
  const counts = new Map<string, number>();
  const isTold: IsTold = ({ rule, severity }) => (counts.get(`${rule} ${severity}`) ?? 0) >= MOST_FINDINGS;
  const awsSecrets = new AwsSecrets(text);
  starts.lastIndex = 0;
  for (let start = starts.exec(text); start !== null; start = starts.exec(text)) {
    const hit = hitAt(text, start.index, start[0], awsSecrets, isTold);
    if (hit === undefined || isTold(hit)) continue;
    const kind = `${hit.rule} ${hit.severity}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    findings.push(toFinding(hit, file, lines));
  }
  return [...gravest(findings, MOST_FINDINGS), ...environmentFindings(text, file)];
}

function toFinding({ rule, severity, kind, offset }: Hit, file: string, lines: LineCounter): Finding {
  const message =
    rule === "secret-private-key"
      ? `The file holds a ${kind}: take it out, and replace the key pair wherever it is in use`
      : `The file holds what looks like a secret (${kind}): take it out and revoke it, since it has left your machine`;
  return { rule, severity, message, file, line: lines.at(offset) };
}

function hitAt(text: string, offset: number, start: string, awsSecrets: AwsSecrets, isTold: IsTold): Hit | undefined {
  if (start === PRIVATE_KEY) return privateKeyAt(text, offset);
  if (start === TELEGRAM) return telegramAt(text, offset);
  if (start === "AKIA" || start === "ASIA") return awsAt(text, offset, awsSecrets);
  for (const shape of shapesByPrefix.get(start) ?? []) {
    if (isTold({ rule: "secret-token", severity: shape.severity })) continue;
    shape.pattern.lastIndex = offset;
    const match = shape.pattern.exec(text)?.[0];
    if (match !== undefined && isReal(shape, match)) {
      return { offset, kind: shape.kind, severity: shape.severity, rule: "secret-token" };
    }
  }
  return undefined;
}

const keyHeader = /-----BEGIN ((?:[A-Z0-9]{2,20} ){0,3}PRIVATE KEY(?: BLOCK)?)-----/y;
const LONGEST_KEY = 16 * 1024;
/** The least key there is, an Ed25519 one, has 64 characters. */
const SHORTEST_KEY = 60;

/** Also a key inside of a string literal, with its line ends escaped or cut into several strings. */
function privateKeyAt(text: string, offset: number): Hit | undefined {
  keyHeader.lastIndex = offset;
  const header = keyHeader.exec(text);
  if (header === null) return undefined;
  const rest = text.slice(keyHeader.lastIndex, keyHeader.lastIndex + LONGEST_KEY);
  const end = rest.indexOf("-----");
  const body = (end === -1 ? rest.slice(0, 400) : rest.slice(0, end))
    .replace(/(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash): ?[^\n\\]{0,200}/g, "")
    .replace(/\\[nrt]|["'`,;+\s]/g, "");
  const base64 = /^[A-Za-z0-9+/=]{0,16384}/.exec(body)?.[0] ?? "";
  if (base64.length < SHORTEST_KEY || entropyOf(base64) < 4 || /(?:xxxx|\.\.\.)/i.test(body)) return undefined;
  return { offset, kind: String(header[1]).toLowerCase(), severity: "critical", rule: "secret-private-key" };
}

const telegram = /(?<![A-Za-z0-9_])\d{8,10}:AA[\w-]{33}(?![\w-])/y;

function telegramAt(text: string, offset: number): Hit | undefined {
  for (let digits = 8; digits <= 10; digits++) {
    telegram.lastIndex = offset - digits;
    if (telegram.lastIndex < 0) return undefined;
    const match = telegram.exec(text)?.[0];
    if (match !== undefined) {
      if (isPlaceholder(match.slice(-33))) return undefined;
      return { offset: offset - digits, kind: "Telegram bot token", severity: "medium", rule: "secret-token" };
    }
  }
  return undefined;
}

const awsId = /A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9_])/y;
const awsSecret = /(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/g;
/** How far from its id the secret is looked for, either way. */
const AWS_NEARBY = 400;

/** Where the secrets of AWS keys may be in a text: searched once, and only if there is an id. */
class AwsSecrets {
  readonly #text: string;
  #offsets: readonly number[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  isNear(offset: number): boolean {
    this.#offsets ??= Array.from(this.#text.matchAll(awsSecret))
      .filter(
        ([match]) => /[a-z]/.test(match) && /[A-Z]/.test(match) && /[0-9]/.test(match) && !isPlaceholder(match, 4),
      )
      .map(({ index }) => index);
    let [low, high] = [0, this.#offsets.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#offsets[middle] ?? 0) < offset - AWS_NEARBY) low = middle + 1;
      else high = middle;
    }
    return (this.#offsets[low] ?? Number.POSITIVE_INFINITY) <= offset + AWS_NEARBY;
  }
}

function awsAt(text: string, offset: number, secrets: AwsSecrets): Hit | undefined {
  awsId.lastIndex = offset;
  const id = awsId.exec(text)?.[0];
  if (id === undefined || isPlaceholder(id.slice(4), 2.5)) return undefined;
  return secrets.isNear(offset)
    ? { offset, kind: "AWS access key", severity: "critical", rule: "secret-token" }
    : { offset, kind: "id of an AWS access key", severity: "medium", rule: "secret-token" };
}

const environmentFile = /(?:^|\/)\.env(?:\.(?!example|sample|template|dist|test|defaults?$)[\w.-]{1,40})?$/i;
const assignment =
  /^[ \t]{0,8}(?:export[ \t]{1,4})?(\w{0,60}(?:SECRET|TOKEN|PASSW(?:OR)?D|API_?KEY|PRIVATE_?KEY|CREDENTIAL)\w{0,60})[ \t]{0,4}=[ \t]{0,4}["']?([^\s"'#]{8,500})/gim;

function environmentFindings(text: string, file: string): readonly Finding[] {
  if (!environmentFile.test(file)) return [];
  const values = [...text.matchAll(assignment)].filter(([, , value = ""]) => looksSecret(value));
  const first = values[0];
  if (first === undefined) return [];
  const message = `An environment file with ${values.length} assigned secret${values.length === 1 ? "" : "s"}: leave it out of the package, and ship a .env.example without values`;
  return [{ rule: "secret-env-file", severity: "medium", message, file, line: new LineCounter(text).at(first.index) }];
}

const looksSecret = (value: string): boolean =>
  !isPlaceholder(value, 2.5) && !/^(?:true|false|none|null|https?:\/\/[^@]{0,300}|\$\w{1,60})$/i.test(value);
