import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Entry } from "./journal.ts";
import type { Truth } from "./truth.ts";

/** What one invariant came to. */
export interface Verdict {
  /** `I1` to `I10`. */
  readonly id: string;
  readonly what: string;
  /** Undefined where it could not be judged with what the checker was given. */
  readonly holds: boolean | undefined;
  /** How many things were looked at. */
  readonly checked: number;
  /** What does not hold, or why nothing could be judged; at most 20. */
  readonly problems: readonly string[];
}

export interface CheckContext {
  /** `http://host:port` of a gateway. */
  readonly url: string;
  /** Of an administrator: then what is private is looked at as well. */
  readonly token: string | undefined;
  readonly entries: readonly Entry[];
  /** Undefined: what is in the stores is not looked at. */
  readonly truth: Truth | undefined;
  /** Whether releases may be there that the journal does not tell of. */
  readonly others: boolean;
  /** Younger than this, what waits under `staging/` is a publish under way; in milliseconds. */
  readonly graceMs: number;
  /** How long things that follow by themselves may take, in milliseconds. */
  readonly settleMs: number;
}

const mostProblems = 20;
const requestMs = 30_000;
const lookEveryMs = 250;
const atOnce = 4;

export function verdict(id: string, what: string, checked: number, problems: readonly string[]): Verdict {
  return { id, what, holds: problems.length === 0, checked, problems: problems.slice(0, mostProblems) };
}

export function notJudged(id: string, what: string, why: string): Verdict {
  return { id, what, holds: undefined, checked: 0, problems: [why] };
}

export interface Got {
  readonly status: number;
  readonly bytes: Buffer;
  readonly json: <T>() => T;
}

/** One GET; busy or away is tried again for as long as things may take to settle. */
export async function get(context: CheckContext, path: string, headers: Record<string, string> = {}): Promise<Got> {
  const end = performance.now() + context.settleMs;
  const authorization: Record<string, string> =
    context.token === undefined ? {} : { authorization: `Bearer ${context.token}` };
  for (;;) {
    try {
      const response = await fetch(new URL(path, context.url), {
        headers: { ...authorization, ...headers },
        redirect: "manual",
        signal: AbortSignal.timeout(requestMs),
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      const passing = [429, 502, 503, 504].includes(response.status);
      if (!passing || performance.now() > end) {
        return { status: response.status, bytes, json: <T>() => JSON.parse(bytes.toString("utf8")) as T };
      }
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await pause(lookEveryMs);
  }
}

/** Looks again and again until nothing is wrong any more, or it has taken too long. @returns what is wrong at last */
export async function settled(ms: number, look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const end = performance.now() + ms;
  for (;;) {
    const problems = await look();
    if (problems.length === 0 || performance.now() > end) return problems;
    await pause(lookEveryMs);
  }
}

export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export const keyOf = ({ name, version }: { readonly name: string; readonly version: string }): string =>
  `${name}@${version}`;

export async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
