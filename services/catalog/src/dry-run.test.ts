import { ReleaseState } from "@registry/contracts/catalog";
import type { Caller } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { admin, owner, type Package, type Replica, reader, stranger, World } from "./testing/world.ts";

let world: World;
let replica: Replica;

beforeEach(async () => {
  world = await World.open();
  replica = await world.replica();
});
afterEach(() => world.close());

const finding = (severity: string, rule = "odd") => ({
  rule,
  severity,
  message: "Odd",
  file: "a.py",
  line: 3,
  pointer: "",
});

function send(caller: Caller, pack: Package, more: object = {}) {
  return replica.client.publishRelease({ uploadId: world.upload(caller, pack), ...more }, replica.as(caller));
}
const dryRun = (caller: Caller, pack: Package) => send(caller, pack, { dryRun: true });

describe("a dry run", () => {
  it("says what a publish would come to, and leaves nothing behind", async () => {
    const accepted = await dryRun(owner, { name: "one", version: "1.0.0", more: { findings: [finding("low")] } });
    expect(accepted).toMatchObject({
      created: true,
      plugin: { name: "one", owner: "olga" },
      release: { state: ReleaseState.RELEASE_STATE_PUBLISHED, findings: [{ action: "warn" }] },
    });
    const held = await dryRun(owner, { name: "one", version: "1.0.0", more: { findings: [finding("high")] } });
    expect(held.release).toMatchObject({
      state: ReleaseState.RELEASE_STATE_STAGED,
      review: { reasons: ["odd: Odd (a.py:3)"] },
    });
    const tested = await dryRun(owner, { name: "one", version: "1.0.0", more: { needsTests: true } });
    expect(tested.release?.state).toBe(ReleaseState.RELEASE_STATE_STAGED);
    expect(world.storage.uploads.size).toBe(0);
    expect(world.storage.blobs.size).toBe(0);
    await expect(replica.client.getPlugin({ name: "one" }, replica.as(admin))).rejects.toMatchObject({
      kind: "not_found",
    });
    expect(await (await world.documents.collection({ name: "plugins", indexes: [] })).countDocuments({})).toBe(0);
    expect(world.events).toEqual([]);
  });

  it("is refused with what the publish would be refused with", async () => {
    await send(owner, { name: "one", version: "1.0.0" });
    const cases: [Caller, Package][] = [
      [owner, { name: "one", version: "1.0.0", content: "other" }],
      [owner, { name: "0ne", version: "1.0.0" }],
      [owner, { name: "Bad", version: "1.0.0" }],
      [owner, { name: "two", version: "1.0.0", more: { findings: [finding("critical")] } }],
      [owner, { name: "two", version: "1.0.0", content: "one@1.0.0" }],
      [stranger, { name: "one", version: "2.0.0" }],
      [reader, { name: "new", version: "1.0.0" }],
    ];
    for (const [caller, pack] of cases) {
      const tried = await dryRun(caller, pack).catch((error: unknown) => error);
      const done = await send(caller, pack).catch((error: unknown) => error);
      if (!(tried instanceof Error)) expect(tried).toMatchObject({ created: true });
      else expect(done).toMatchObject({ message: tried.message, reason: (tried as { reason?: string }).reason });
    }
    const same = await dryRun(owner, { name: "one", version: "1.0.0" });
    expect(same).toMatchObject({ created: false, release: { state: ReleaseState.RELEASE_STATE_PUBLISHED } });
    expect(world.storage.blobs.size).toBe(1);
  });
});
