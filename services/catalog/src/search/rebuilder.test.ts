import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Documents, openSqliteDocuments } from "@registry/documents";
import { createTestSurroundings } from "@registry/kit/testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Rebuilds } from "../store/rebuilds.ts";
import type { Rebuilt } from "./feed.ts";
import { Rebuilder } from "./rebuilder.ts";

const { log, clock } = createTestSurroundings();
let folder: string;
let documents: Documents;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rebuilder-"));
  documents = await openSqliteDocuments({ path: join(folder, "catalog.db") });
});
afterEach(async () => {
  vi.useRealTimers();
  await documents.close();
  await rm(folder, { recursive: true, force: true });
});

it("says that it lives while a rebuild takes longer than it would be waited for", async () => {
  const rebuilds = await Rebuilds.open(documents);
  const rebuilt = Promise.withResolvers<Rebuilt>();
  const rebuild = vi.fn(() => rebuilt.promise);
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  const rebuilder = new Rebuilder({ rebuilds, clock, log, instance: "slow", rebuild });
  await rebuilder.begin();
  rebuilder.start();
  await vi.waitFor(async () => expect(await rebuilds.seenSince(new Date(0))).toHaveLength(1));
  await rebuilds.ask();
  rebuilder.kick();
  await vi.waitFor(() => expect(rebuild).toHaveBeenCalled());
  clock.advance(60_000);
  const since = clock.now();
  const seen = async () => (await rebuilds.seenSince(since)).map(({ _id, number }) => [_id, number]);
  expect(await seen()).toEqual([]);
  vi.advanceTimersByTime(20_000);
  await vi.waitFor(async () => expect(await seen()).toEqual([["slow", 0]]));
  rebuilt.resolve({ mended: 0, plugins: 7 });
  await vi.waitFor(async () =>
    expect((await rebuilds.seenSince(new Date(0)))[0]).toMatchObject({ number: 1, plugins: 7 }),
  );
  await rebuilder.close();
  expect(await rebuilds.seenSince(new Date(0))).toEqual([]);
});
