import { describe, expect, it } from "vitest";
import { missingFor } from "../stack/index.ts";
import type { Report } from "./campaign/campaign.ts";
import { startFaults } from "./campaign/running.ts";

/** One that is always tried; others are for people with more time. */
const seed = 20261129;
/** The command gives up by itself after 240 s. */
const deadlineMs = 270_000;

describe.skipIf(missingFor("five-by-two"))("a campaign of faults", () => {
  it(`hurts each part of ten processes and three servers once, and every invariant holds (seed ${seed})`, {
    timeout: 320_000,
  }, async () => {
    const faults = startFaults(["--short", "--seed", `${seed}`, "--json"]);
    const code = await faults.ended(deadlineMs);
    process.stdout.write(faults.err());
    const report = JSON.parse(faults.out() || "{}") as Partial<Report>;
    const { problems, invariants = [], downloads, faults: injected = [] } = report;
    expect({ code, problems, broken: invariants.filter(({ holds }) => holds !== true) }).toEqual({
      code: 0,
      problems: [],
      broken: [],
    });
    expect(invariants.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, index) => `I${index + 1}`));
    expect(new Set(injected.map(({ kind }) => kind)).size).toBe(11);
    expect(downloads?.counted).toBeGreaterThanOrEqual(downloads?.least ?? Number.NaN);
    expect(downloads?.counted).toBeLessThanOrEqual(downloads?.most ?? Number.NaN);
  });
});
