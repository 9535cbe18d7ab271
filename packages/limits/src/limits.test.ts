import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Documents, openSqliteDocuments } from "@registry/documents";
import { intercepted } from "@registry/documents/testing";
import { TestClock } from "@registry/kit/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Limits } from "./limits.ts";

let folder: string;
let documents: Documents;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "limits-"));
  documents = await openSqliteDocuments({ path: join(folder, "limits.db") });
});
afterAll(async () => {
  await documents.close();
  await rm(folder, { recursive: true, force: true });
});

/** A time at which an hour, and so every window that divides it, begins. */
const hour = new Date("2030-01-01T10:00:00Z");
const after = (seconds: number): Date => new Date(hour.getTime() + seconds * 1000);

/** Several replicas of a service on one database. */
async function replicas(count: number): Promise<Limits[]> {
  return Promise.all(Array.from({ length: count }, () => Limits.open(documents, new TestClock())));
}

describe("a limit", () => {
  it("grants exactly as many as it says in a window, and says when the next one begins", async () => {
    const [limits] = (await replicas(1)) as [Limits];
    const rate = { limit: 3, windowSeconds: 60 };
    for (let i = 0; i < 3; i++) expect(await limits.take("story", "ann", rate, after(10))).toBe(0);
    expect(await limits.take("story", "ann", rate, after(10))).toBe(50);
    expect(await limits.take("story", "ann", rate, after(59.9))).toBe(1);
    await expect(limits.demand("story", "ann", rate, after(20))).rejects.toMatchObject({
      kind: "rate_limited",
      reason: "RATE_LIMITED",
      retryAfterSeconds: 40,
    });
    expect(await limits.take("story", "ann", rate, after(60))).toBe(0);
  });

  it("counts apart what has another name, key or window", async () => {
    const [limits] = (await replicas(1)) as [Limits];
    const rate = { limit: 1, windowSeconds: 60 };
    expect(await limits.take("apart", "a", rate, hour)).toBe(0);
    expect(await limits.take("apart", "b", rate, hour)).toBe(0);
    expect(await limits.take("apart2", "a", rate, hour)).toBe(0);
    expect(await limits.take("apart", "a", { limit: 1, windowSeconds: 3600 }, hour)).toBe(0);
    expect(await limits.take("apart", "a", rate, hour)).toBeGreaterThan(0);
  });

  it("of 0 is none, and leaves nothing behind", async () => {
    const [limits] = (await replicas(1)) as [Limits];
    const rate = { limit: 0, windowSeconds: 60 };
    for (let i = 0; i < 20; i++) expect(await limits.take("none", "a", rate, hour)).toBe(0);
    await limits.giveBack("none", "a", rate, hour);
    expect(await limits.peek("none", "a", rate, hour)).toBe(0);
  });

  it("takes nothing by looking, and gives back what was not used to the window that it was taken from", async () => {
    const [limits] = (await replicas(1)) as [Limits];
    const rate = { limit: 1, windowSeconds: 60 };
    expect(await limits.peek("look", "a", rate, hour)).toBe(0);
    expect(await limits.take("look", "a", rate, hour)).toBe(0);
    expect(await limits.peek("look", "a", rate, hour)).toBe(60);
    await limits.giveBack("look", "a", rate, hour);
    await limits.giveBack("look", "a", rate, hour);
    expect(await limits.take("look", "a", rate, hour)).toBe(0);
    expect(await limits.take("look", "a", rate, hour)).toBe(60);
    expect(await limits.take("look", "a", rate, after(60))).toBe(0);
    await limits.giveBack("look", "a", rate, hour);
    expect(await limits.take("look", "a", rate, after(60))).toBe(60);
  });

  it("grants exactly as many however many replicas race for them", async () => {
    let story = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 12 }), async (limit, more) => {
        const name = `race ${story++}`;
        const racing = await replicas(4);
        const takes = Array.from({ length: limit + more }, (_, i) =>
          racing[i % racing.length]?.take(name, "all", { limit, windowSeconds: 60 }, hour),
        );
        const waits = await Promise.all(takes);
        expect(waits.filter((seconds) => seconds === 0)).toHaveLength(limit);
        expect(waits.filter((seconds) => seconds === 60)).toHaveLength(more);
      }),
      { numRuns: 40 },
    );
  });

  it("costs the store nothing once it was found full", async () => {
    let calls = 0;
    const counted = intercepted(documents, "limits", "updateOne", (call) => {
      calls++;
      return call();
    });
    const limits = await Limits.open(counted, new TestClock());
    const rate = { limit: 1, windowSeconds: 60 };
    for (const expected of [0, 60]) expect(await limits.take("flood", "a", rate, hour)).toBe(expected);
    const before = calls;
    for (let i = 0; i < 50; i++) expect(await limits.take("flood", "a", rate, after(i))).toBe(60 - i);
    expect(calls).toBe(before);
    expect(await limits.take("flood", "a", rate, after(60))).toBe(0);
  });

  it("keeps neither names nor keys, and forgets windows that are over", async () => {
    const [limits] = (await replicas(1)) as [Limits];
    await limits.sweep(new Date("2100-01-01T00:00:00Z"));
    const raw = await documents.collection<{ _id: string }>({ name: "limits", indexes: [] });
    await limits.take("swept", "someone@example.org", { limit: 5, windowSeconds: 60 }, hour);
    const [kept, ...others] = await raw.find({});
    expect(others).toEqual([]);
    expect(JSON.stringify(kept)).not.toMatch(/someone|swept/);
    await limits.sweep(after(60));
    expect(await raw.countDocuments({})).toBe(1);
    await limits.sweep(after(121));
    expect(await raw.countDocuments({})).toBe(0);
  });
});
