import { TestsResult } from "@registry/contracts/storage";
import { isRegistryError } from "@registry/domain";
import type { ReleaseCheck } from "./model/checks.ts";
import type { ReleaseDocument, ReleaseReview } from "./model/release.ts";
import type { Parts } from "./parts.ts";
import { promoteWaiting } from "./publish/promote.ts";
import type { SeenWaiting } from "./store/waiting.ts";

const everyMs = 3000;
const batch = 100;
/** Longer than any run may take, so that a release is tested by one replica at a time. */
const leaseMs = 22 * 60_000;
const runMs = 20 * 60_000;
const retryMs = 30_000;
const mostRuns = 3;

interface Outcome {
  readonly result: "passed" | "failed" | "error";
  readonly summary: string;
  readonly log: string;
}

/** Has the tests of staged releases run, and acts on what they come to. Every replica looks; each step compares first. */
export class TestRunner {
  readonly #parts: Parts;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => this.kick(), everyMs);
  }

  /** Looks now. */
  kick(): void {
    if (this.#stopping.signal.aborted) return;
    this.#running ??= this.#look().finally(() => {
      this.#running = undefined;
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#running;
  }

  async #look(): Promise<void> {
    const { releases, clock, log } = this.#parts;
    try {
      const due = await releases.waiting.before("tests", clock.now(), batch);
      for (const release of inTurn(due)) {
        if (this.#stopping.signal.aborted) return;
        await this.#test(release);
      }
    } catch (error) {
      log.warn({ err: error }, "tests of staged releases not looked at, tried again");
    }
  }

  async #test(release: ReleaseDocument): Promise<void> {
    const { releases, clock } = this.#parts;
    const runs = (release.testRuns ?? 0) + 1;
    const leased = { waitingSince: new Date(clock.now().getTime() + leaseMs), testRuns: runs };
    if (!(await releases.waiting.change(seen(release), leased))) return;
    // Whoever ran it so often did not live to tell what came of it.
    const outcome = runs > mostRuns ? lost : await this.#run(release);
    const tested = { ...release, ...leased };
    if (this.#stopping.signal.aborted) await this.#giveBack(release, tested);
    else await this.#settle(tested, outcome, runs);
  }

  /** This process ends, which says nothing about the tests. */
  async #giveBack({ testRuns = 0 }: ReleaseDocument, tested: ReleaseDocument): Promise<void> {
    const { releases, clock } = this.#parts;
    await releases.waiting.change(seen(tested), { waitingSince: clock.now(), testRuns });
  }

  async #run({ sha256, plugin, version }: ReleaseDocument): Promise<Outcome> {
    try {
      const options = { as: "service", timeoutMs: runMs, signal: this.#stopping.signal } as const;
      const { result, summary, log } = await this.#parts.storage().runPackageTests({ sha256 }, options);
      return { result: words[result], summary, log };
    } catch (error) {
      this.#parts.log.warn({ plugin, version, err: error }, "tests of a staged release could not be run");
      const told = isRegistryError(error) ? error.message : "The tests could not be run";
      return { result: "error", summary: told, log: "" };
    }
  }

  async #settle(release: ReleaseDocument, { result, summary, log }: Outcome, runs: number): Promise<void> {
    const { releases, clock, plugins, projector } = this.#parts;
    const now = clock.now();
    const checks = withTests(release, { name: "tests", result, summary, finishedAt: now });
    if (result === "error" && runs < mostRuns) {
      await releases.waiting.change(seen(release), { waitingSince: new Date(now.getTime() + retryMs) });
      return;
    }
    const tested = { ...release, checks };
    const held = release.review?.state === "pending";
    if (result === "passed" && !held) {
      const kept = await releases.waiting.change(seen(release), { testLog: log });
      if (kept) await promoteWaiting(this.#parts, tested, "tests");
    } else {
      const waiting = result === "failed" ? "mending" : "review";
      const asked = result === "error" ? { review: askedBecause(release, summary, now) } : {};
      await releases.waiting.change(seen(release), { waiting, waitingSince: now, checks, testLog: log, ...asked });
      await plugins.stamp(release.plugin);
    }
    await projector.project(release.plugin);
    this.#parts.kick();
  }
}

const lost: Outcome = { result: "error", summary: "The tests were begun several times and never ended", log: "" };

/** Publishers take turns, so that one with many packages does not keep the others waiting. */
function inTurn(due: readonly ReleaseDocument[]): ReleaseDocument[] {
  const turns = new Map<number, number>();
  const ranked = due.map((release) => {
    const turn = turns.get(release.publishedById) ?? 0;
    turns.set(release.publishedById, turn + 1);
    return { release, turn };
  });
  return ranked.sort((a, b) => a.turn - b.turn).map(({ release }) => release);
}

const words = {
  [TestsResult.TESTS_RESULT_PASSED]: "passed",
  [TestsResult.TESTS_RESULT_FAILED]: "failed",
  [TestsResult.TESTS_RESULT_ERROR]: "error",
  [TestsResult.TESTS_RESULT_UNSPECIFIED]: "error",
  [TestsResult.UNRECOGNIZED]: "error",
} as const satisfies { readonly [result in TestsResult]: Outcome["result"] };

function seen({ _id, sha256, waiting, waitingSince }: ReleaseDocument): SeenWaiting {
  if (waiting === undefined || waitingSince === undefined) throw new TypeError(`${_id} waits for nothing`);
  return { _id, sha256, waiting, waitingSince };
}

function withTests({ checks = [] }: ReleaseDocument, tests: ReleaseCheck): ReleaseCheck[] {
  return [...checks.filter(({ name }) => name !== "tests"), tests];
}

function askedBecause({ review }: ReleaseDocument, summary: string, now: Date): ReleaseReview {
  const reason = `tests: ${summary}`;
  return { state: "pending", requestedAt: review?.requestedAt ?? now, reasons: [...(review?.reasons ?? []), reason] };
}
