import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { missingFor } from "../stack/index.ts";
import { type Running, startFaults } from "./campaign/running.ts";

const endsWithinMs = 60_000;

async function outcome(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const running = startFaults(args);
  return { code: await running.ended(endsWithinMs), out: running.out(), err: running.err() };
}

describe("npm run faults", () => {
  it.each([
    ["an option that there is not", ["--minuets", "3"], "--minuets"],
    ["a number that is none", ["--minutes", "soon"], "--minutes"],
    ["too many minutes", ["--minutes", "601"], "1 to 600"],
    ["a seed that is none", ["--seed", "-1"], "--seed"],
    ["two lengths at once", ["--short", "--minutes", "3"], "--short and --minutes"],
    ["a command that there is not", ["chekc"], "chekc"],
  ])("refuses %s, and tells how it is used", async (_, args, named) => {
    const { code, out, err } = await outcome(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(named);
    expect(err).toContain("--minutes N");
  });

  it.each([
    ["nothing to look at", ["check"], "--url and --journal are needed"],
    ["a time that is none", ["check", "--url", "http://x", "--journal", "x", "--settle", "soon"], "--settle"],
    ["a journal that is not there", ["check", "--url", "http://x", "--journal", "/nowhere/x"], "/nowhere/x"],
  ])("check refuses %s", async (_, args, named) => {
    const { code, err } = await outcome(...args);
    expect([code, err]).toEqual([2, expect.stringContaining(named)]);
    expect(err).toContain("--journal FILE");
  });

  it("tells how it is used where it is asked", async () => {
    expect(await outcome("--help")).toMatchObject({ code: 0, err: "", out: expect.stringContaining("--seed S") });
    expect(await outcome("check", "--help")).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringContaining("--url URL"),
    });
  });
});

/** Everything that a process has started, however far down. */
function descendants(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(file)) return [];
  const children = readFileSync(file, "utf8").trim().split(" ").filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** A process that was stopped or has ended and was not waited for is not alive. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const { pid: own } = process;
const untold = !existsSync(`/proc/${own}/task/${own}/children`);

describe.skipIf(untold || missingFor("five-by-two"))(
  "a campaign that is ended from outside",
  { timeout: 240_000 },
  () => {
    const started = (running: Running): number[] => descendants(running.child.pid ?? 0);

    it.each([
      ["SIGINT", 130, "while its processes start", (running: Running) => started(running).length > 6],
      ["SIGTERM", 143, "while faults go on", (running: Running) => running.err().includes("served again")],
    ] as const)("by %s (%i) %s takes all that it started with it", async (signal, code, _, isTime) => {
      const running = startFaults(["--short", "--seed", "1"]);
      try {
        await vi.waitFor(() => expect([isTime(running), running.err()]).toContain(true), {
          timeout: 150_000,
          interval: 50,
        });
        const below = started(running);
        running.child.kill(signal);
        expect(await running.ended(endsWithinMs)).toBe(code);
        expect(running.err()).not.toContain("journal and logs");
        await vi.waitFor(() => expect(below.filter(isAlive)).toEqual([]), { timeout: 20_000, interval: 50 });
        expect(below.length).toBeGreaterThan(6);
      } finally {
        await running.ended(0).catch(() => undefined);
      }
    });
  },
);
