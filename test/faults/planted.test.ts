import { appendFileSync, mkdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pendingEvent } from "@registry/bus";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { stopServers } from "../servers/index.ts";
import { printLogsOnFailure } from "../stack/index.ts";
import { HonestRegistry, version } from "./honest.ts";
import type { Entry } from "./invariants/journal.ts";

let registry: HonestRegistry;
printLogsOnFailure(() => registry?.stack);
afterAll(stopServers);

const [name, other] = ["first-plugin", "second-plugin"];
const key = `${name}@${version}`;
const digest = "ab".repeat(32);
const at = "2026-01-01T00:00:00.000Z";
const longAgo = new Date(at);

beforeAll(async () => {
  registry = await HonestRegistry.start();
  await vi.waitFor(async () => expect(await registry.broken()).toEqual([]), { timeout: 60_000, interval: 200 });
  await registry.keep();
}, 180_000);

function writeOld(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "nobody's");
  utimesSync(file, longAgo, longAgo);
}

const event = (id: string, data: unknown) => ({
  ...{ id, subject: "registry.catalog.release.published", source: "/services/catalog", about: name, time: new Date() },
  data,
});

const deadLetter = {
  ...{ _id: "a-letter", group: "analytics", eventId: "an-event", attempts: 10, cause: "Error: no", state: "parked" },
  ...{ open: true, firstParkedAt: longAgo, parkedAt: longAgo, event: pendingEvent(event("an-event", {})) },
};

/** What is planted in the stores of a registry that does not run, and the invariants that it breaks. */
const planted: readonly [what: string, ids: readonly string[], plant: () => Promise<void> | void][] = [
  ["a blob that is lost", ["I3", "I6"], () => rmSync(registry.blobOf(name))],
  [
    "a byte of a blob that is another one",
    ["I3"],
    () => {
      const file = registry.blobOf(name);
      const bytes = readFileSync(file);
      bytes[100] = (bytes[100] ?? 0) ^ 1;
      writeFileSync(file, bytes);
    },
  ],
  ["a blob that is cut", ["I3"], () => truncateSync(registry.blobOf(other), 100)],
  [
    "a download that is not counted anywhere",
    ["I5"],
    async () => {
      const less = { $inc: { count: -1 } };
      await registry.change("analytics", "rollups", (rollups) => rollups.updateMany({ plugin: name }, less));
      await registry.change("catalog", "releases", (all) => all.updateOne({ _id: key }, { $inc: { downloads: -1 } }));
      await registry.change("catalog", "plugins", (all) => all.updateOne({ _id: name }, { $inc: { downloads: -1 } }));
    },
  ],
  [
    "a download that catalog alone has counted twice",
    ["I8"],
    () => registry.change("catalog", "plugins", (all) => all.updateOne({ _id: name }, { $inc: { downloads: 1 } })),
  ],
  [
    "a publication that was noted twice",
    ["I5"],
    () =>
      registry.change("analytics", "publishes", (all) =>
        all.insertOne({ _id: `${key}#2`, plugin: name, version, publishedAt: new Date() } as { _id: string }),
      ),
  ],
  [
    "a publication that the feed tells of twice",
    ["I5"],
    () =>
      registry.change<{ _id: number }>("analytics", "changes", async (all) => {
        const _id = (await all.countDocuments({})) + 1;
        const told = { type: "release.published", plugin: name, version, time: longAgo, recordedAt: new Date() };
        await all.insertOne({ _id, eventId: "told twice", ...told } as { _id: number });
      }),
  ],
  [
    "a publication that a consumer never heard of",
    ["I5"],
    () => registry.change<{ _id: string }>("analytics", "publishes", (all) => all.deleteOne({ _id: key })),
  ],
  ["an orphan blob", ["I6"], () => writeOld(registry.blob(digest))],
  ["a staged package that came to nothing", ["I6"], () => writeOld(join(registry.dataDir, "blobs", "staging", "left"))],
  [
    "an event that stays in the outbox",
    ["I7"],
    () =>
      registry.change("catalog", "plugins", (all) =>
        all.updateOne({ _id: name }, { $push: { "outbox.pending": pendingEvent(event("poison", "poison")) } }),
      ),
  ],
  [
    "a dead letter",
    ["I7"],
    () => registry.change("analytics", "dead_letters", (all) => all.insertOne(deadLetter as { _id: string })),
  ],
  [
    "a latest version that is not",
    ["I8"],
    () => registry.change("catalog", "plugins", (all) => all.updateOne({ _id: name }, { $set: { latest: "0.9.0" } })),
  ],
  [
    "a release that is visible though a check failed",
    ["I10"],
    () =>
      registry.change("catalog", "releases", (all) =>
        all.updateOne({ _id: key }, { $set: { "checks.0.result": "failed" } }),
      ),
  ],
];

describe("the checker finds in the stores", { timeout: 60_000 }, () => {
  it.each(planted)("%s", async (_, ids, plant) => {
    await registry.plant(plant);
    expect(await registry.broken()).toEqual(ids);
  });

  it("nothing, where a dead letter was planned", async () => {
    await registry.plant(() =>
      registry.change("analytics", "dead_letters", (all) => all.insertOne(deadLetter as { _id: string })),
    );
    expect(await registry.broken([...registry.entries, { type: "poison", at, id: "an-event" }])).toEqual([]);
  });
});

describe("the checker finds by the journal", { timeout: 60_000 }, () => {
  beforeAll(() => registry.restored());

  const told = (change: (entry: Entry) => Entry[]): Entry[] => registry.entries.flatMap(change);
  const isIts = (entry: Entry): boolean => entry.type === "publish" && entry.name === name;
  const later = "2026-01-01T00:00:05.001Z";

  it.each<[what: string, ids: readonly string[], entries: () => Entry[]]>([
    ["a listed release that nobody published", ["I1"], () => told((entry) => (isIts(entry) ? [] : [entry]))],
    [
      "a release that was acknowledged with another digest",
      ["I1", "I2"],
      () =>
        told((entry) =>
          isIts(entry) && "status" in entry && entry.status === 201 ? [{ ...entry, sha256: digest } as Entry] : [entry],
        ),
    ],
    [
      "an acknowledged release that is not there",
      ["I1", "I5"],
      () => [...registry.entries, { type: "publish", at, name, version: "9.0.0", sha256: digest, status: 201 }],
    ],
    [
      "a release that is there though it was deleted",
      ["I1"],
      () => [...registry.entries, { type: "removal", at, name, version, status: 200 }],
    ],
    [
      "a download too few, and one too many",
      ["I5"],
      () => [...registry.entries, { type: "download", at, name: other, version, outcome: "complete" }],
    ],
    [
      "a download of other bytes",
      ["I2", "I5"],
      () => [...registry.entries, { type: "download", at, name, version, outcome: "complete", sha256: digest }],
    ],
    [
      "what a refused publish left",
      ["I4"],
      () => [...told((entry) => (isIts(entry) ? [{ ...entry, status: 422 } as Entry] : [entry]))],
    ],
    [
      "a revoked credential that was good for too long",
      ["I9"],
      () => [...registry.entries, { type: "use", at: later, revoked: at, status: 200 }],
    ],
  ])("%s", async (_, ids, entries) => {
    expect(await registry.broken(entries())).toEqual(ids);
  });

  it("nothing, where the credential was refused, or used in time", async () => {
    const uses: Entry[] = [
      { type: "use", at: later, revoked: at, status: 401 },
      { type: "use", at: "2026-01-01T00:00:04.900Z", revoked: at, status: 200 },
      { type: "use", at: later, revoked: at, status: null },
    ];
    expect(await registry.broken([...registry.entries, ...uses])).toEqual([]);
  });

  it("a secret in a log", async () => {
    const secret = "agr_pat_0123456789abcdef0123456789abcdef";
    appendFileSync(registry.log, `{"msg":"asked with Bearer ${secret}"}\n`);
    expect(await registry.broken(registry.entries, [secret])).toEqual(["I9"]);
    expect(await registry.broken()).toEqual([]);
  });
});
