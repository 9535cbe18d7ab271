import { ReleaseState, ReleaseView, ReviewDecision, ReviewState, Visibility } from "@registry/contracts/catalog";
import type { Caller } from "@registry/domain";
import { userCaller } from "@registry/kit/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { admin, anonymous, owner, type Package, type Replica, reader, stranger, World } from "./testing/world.ts";

const reviewer = userCaller("rosa", "user", 21, ["review"]);

let world: World;
let replica: Replica;

beforeEach(async () => {
  world = await World.open();
  replica = await world.replica();
});
afterEach(() => world.close());

const suspicious = {
  rule: "instruction-override",
  severity: "high",
  message: "Odd",
  file: "SKILL.md",
  line: 7,
  pointer: "",
};
const held = (name: string, version = "1.0.0"): Package => ({ name, version, more: { findings: [suspicious] } });

function publish(caller: Caller, pack: Package, more: object = {}) {
  return replica.client.publishRelease({ uploadId: world.upload(caller, pack), ...more }, replica.as(caller));
}
const release = (name: string, caller: Caller, version = "1.0.0") =>
  replica.client
    .getRelease({ name, version, view: ReleaseView.RELEASE_VIEW_FULL }, replica.as(caller))
    .then((answer) => answer.release);
const decide = (caller: Caller, name: string, decision: ReviewDecision, reason = "looked at it", version = "1.0.0") =>
  replica.client.reviewRelease({ name, version, decision, reason }, replica.as(caller));
const queue = async (caller: Caller, pageSize = 10, pageToken = "") =>
  replica.client.listReviews({ page: { pageSize, pageToken } }, replica.as(caller));
const { REVIEW_DECISION_RELEASE, REVIEW_DECISION_REJECT, REVIEW_DECISION_QUARANTINE } = ReviewDecision;

async function expectHidden(name: string, callers: readonly Caller[], version = "1.0.0"): Promise<void> {
  for (const caller of callers) {
    const as = replica.as(caller);
    // Where nothing else of the plugin is seen, not even that there is one of that name.
    const other = await replica.client.getPlugin({ name }, as).catch((error: unknown) => error);
    const missing = other instanceof Error ? { kind: "not_found", reason: "PLUGIN_NOT_FOUND" } : { kind: "not_found" };
    await expect(replica.client.getRelease({ name, version }, as)).rejects.toMatchObject(missing);
    await expect(replica.client.getPlugin({ name, version }, as)).rejects.toMatchObject(missing);
    await expect(replica.client.resolveDownload({ name, version }, as)).rejects.toMatchObject(missing);
    const listed = await replica.client.listPlugins({}, as);
    expect(listed.plugins.filter((plugin) => plugin.name === name && plugin.latest === version)).toEqual([]);
    const found = await replica.client.searchPlugins({ query: name, withDetails: true }, as);
    expect(found.details.flatMap(({ versions }) => versions)).not.toContain(version);
  }
}

describe("a release with a finding that the policy holds", () => {
  it("is there for its owner and reviewers alone until one of them lets it go", async () => {
    const { created, release: staged } = await publish(owner, held("one"));
    expect(created).toBe(true);
    expect(staged).toMatchObject({
      state: ReleaseState.RELEASE_STATE_STAGED,
      review: { state: ReviewState.REVIEW_STATE_PENDING, reasons: ["instruction-override: Odd (SKILL.md:7)"] },
      findings: [{ ...suspicious, action: "hold" }],
    });
    expect(staged?.checks.map(({ name, result }) => [name, result])).toEqual([
      ["structure", "CHECK_RESULT_PASSED"],
      ["manifest", "CHECK_RESULT_PASSED"],
      ["content", "CHECK_RESULT_FAILED"],
      ["name", "CHECK_RESULT_PASSED"],
    ]);
    await expectHidden("one", [anonymous, stranger, reader]);
    expect((await replica.client.getRegistryInfo({}, replica.as(anonymous))).pluginsCount).toBe(0);
    for (const caller of [owner, admin, reviewer]) {
      expect(await release("one", caller)).toMatchObject({ state: ReleaseState.RELEASE_STATE_STAGED });
      const { details } = await replica.client.getPlugin({ name: "one" }, replica.as(caller));
      expect(details?.plugin).toMatchObject({ title: "one", latest: "" });
    }
    expect(world.events).toEqual([]);

    const decided = await decide(reviewer, "one", REVIEW_DECISION_RELEASE, "harmless");
    expect(decided.release).toMatchObject({
      state: ReleaseState.RELEASE_STATE_PUBLISHED,
      publishedBy: "olga",
      review: { state: ReviewState.REVIEW_STATE_RELEASED, reviewedBy: "rosa", reason: "harmless" },
    });
    expect(decided.plugin).toMatchObject({ latest: "1.0.0" });
    expect((await release("one", anonymous))?.sha256).toBe(staged?.sha256);
    expect((await replica.client.getRegistryInfo({}, replica.as(anonymous))).pluginsCount).toBe(1);
  });

  it("survives the sweeper, and the same bytes again change nothing", async () => {
    await publish(owner, held("one"));
    const [first] = (await queue(admin)).releases;
    // A publish that got stuck at the same time shows when the sweeper has been here.
    const stuck = world.upload(owner, { name: "stuck", version: "1.0.0" });
    const released = Promise.withResolvers<void>();
    world.storage.before = (method, id) => (method === "commitUpload" && id === stuck ? released.promise : undefined);
    const publishing = replica.client.publishRelease({ uploadId: stuck }, replica.as(owner)).catch(() => undefined);
    const there = () => world.storage.uploads.has(stuck);
    await expect.poll(() => release("stuck", owner), { timeout: 15_000 }).toBeDefined();
    world.clock.advance(30 * 24 * 3600 * 1000);
    const sweeping = await world.replica({ sweepSeconds: 1 });
    await expect.poll(there, { timeout: 15_000 }).toBe(false);
    await sweeping.close();
    released.resolve();
    await publishing;
    const again = await publish(owner, held("one"));
    expect(again).toMatchObject({ created: false, release: { state: ReleaseState.RELEASE_STATE_STAGED } });
    expect((await queue(admin)).releases).toEqual([first]);
    const other = publish(owner, { ...held("one"), content: "other bytes" });
    await expect(other).rejects.toMatchObject({ kind: "conflict", reason: "RELEASE_IN_REVIEW" });
    expect(world.storage.uploads.size).toBe(1);
  });

  it("burns its name, version and bytes when it is rejected, which those it was hidden from never learn", async () => {
    await publish(owner, held("one"));
    await decide(admin, "one", REVIEW_DECISION_REJECT, "it lies to its user");
    for (const caller of [owner, admin]) {
      await expect(release("one", caller)).rejects.toMatchObject({ kind: "gone" });
    }
    await expectHidden("one", [anonymous, stranger]);
    expect(world.events).toEqual([]);
    const again = publish(owner, { name: "one", version: "1.0.0", content: "clean" });
    await expect(again).rejects.toMatchObject({ kind: "already_exists", reason: "RELEASE_DELETED" });
    const renamed = publish(owner, { name: "two", version: "1.0.0", content: "one@1.0.0" });
    await expect(renamed).rejects.toMatchObject({ kind: "already_exists", reason: "CONTENT_BURNT" });
    await expect(publish(stranger, { name: "one", version: "2.0.0" })).rejects.toMatchObject({
      kind: "permission_denied",
    });
    expect((await publish(owner, { name: "one", version: "1.0.1" })).created).toBe(true);
    expect((await replica.client.listReleases({ name: "one" }, replica.as(anonymous))).releases).toHaveLength(1);
  });

  it("does not hold up other versions, and follows them once it is released", async () => {
    await publish(owner, { name: "one", version: "1.0.0" });
    await publish(owner, held("one", "2.0.0"), { channel: "next" });
    await expectHidden("one", [anonymous], "2.0.0");
    const before = await replica.client.getPlugin({ name: "one" }, replica.as(anonymous));
    expect(before.details).toMatchObject({ versions: ["1.0.0"], plugin: { latest: "1.0.0" } });
    expect(before.details?.plugin?.channels).not.toHaveProperty("next");
    await decide(admin, "one", REVIEW_DECISION_RELEASE, "fine", "2.0.0");
    const after = await replica.client.getPlugin({ name: "one" }, replica.as(anonymous));
    expect(after.details?.plugin).toMatchObject({ latest: "2.0.0", channels: { next: "2.0.0" } });
  });

  it("leaves the same bytes to others where an owner merely deletes them", async () => {
    const bytes = { content: "a skill that many have" };
    await publish(owner, { name: "one", version: "1.0.0", ...bytes });
    await replica.client.deleteRelease({ name: "one", version: "1.0.0" }, replica.as(owner));
    const again = publish(owner, { name: "one", version: "1.0.1", ...bytes });
    await expect(again).rejects.toMatchObject({ reason: "CONTENT_BURNT" });
    expect((await publish(stranger, { name: "two", version: "1.0.0", ...bytes })).created).toBe(true);
  });

  it("may be withdrawn by its owner", async () => {
    await publish(owner, held("one"));
    await replica.client.deleteRelease({ name: "one", version: "1.0.0" }, replica.as(owner));
    await expect(release("one", owner)).rejects.toMatchObject({ kind: "gone" });
    expect((await queue(admin)).releases).toEqual([]);
  });
});

describe("a reviewer", () => {
  it("needs the right, and another's release", async () => {
    await publish(owner, held("one"));
    await expect(decide(stranger, "one", REVIEW_DECISION_RELEASE)).rejects.toMatchObject({ kind: "not_found" });
    await expect(decide(owner, "one", REVIEW_DECISION_RELEASE)).rejects.toMatchObject({ kind: "permission_denied" });
    const own = userCaller("olga", "publisher", 11, ["review"]);
    await expect(decide(own, "one", REVIEW_DECISION_RELEASE)).rejects.toMatchObject({ reason: "OWN_RELEASE" });
    for (const caller of [anonymous, owner, reader]) {
      await expect(queue(caller)).rejects.toMatchObject({ kind: expect.stringMatching(/denied|unauth/) });
    }
    const narrow = userCaller("nora", "user", 22, ["review:two"]);
    expect((await queue(narrow)).releases).toEqual([]);
    await expect(decide(narrow, "one", REVIEW_DECISION_RELEASE)).rejects.toMatchObject({ kind: "not_found" });
  });

  it("says why, and decides only on what can be decided", async () => {
    await publish(owner, { name: "one", version: "1.0.0" });
    const silent = decide(admin, "one", REVIEW_DECISION_QUARANTINE, " ");
    await expect(silent).rejects.toMatchObject({ reason: "INVALID_REASON" });
    const unclear = decide(admin, "one", ReviewDecision.REVIEW_DECISION_UNSPECIFIED);
    await expect(unclear).rejects.toMatchObject({ reason: "INVALID_DECISION" });
    for (const decision of [REVIEW_DECISION_RELEASE, REVIEW_DECISION_REJECT]) {
      await expect(decide(admin, "one", decision)).rejects.toMatchObject({ reason: "INVALID_STATE" });
    }
  });

  it("walks the queue in pages, longest waiting first", async () => {
    for (const name of ["one", "two", "three"]) {
      await publish(owner, held(name));
      world.clock.advance(1000);
    }
    const first = await queue(reviewer, 2);
    expect(first.releases.map(({ plugin }) => plugin)).toEqual(["one", "two"]);
    const second = await queue(reviewer, 2, first.nextPageToken);
    expect(second.releases.map(({ plugin }) => plugin)).toEqual(["three"]);
    expect(second.nextPageToken).toBe("");
    // A page may end with a release that its reader may not know of.
    expect(first.nextPageToken).toMatch(/^\d{1,15}-\d{1,4}$/);
    for (const token of ["x", "0 one@1.0.0", "1-", "-1", "1-12345", `${first.nextPageToken} `]) {
      await expect(queue(reviewer, 2, token)).rejects.toMatchObject({ reason: "INVALID_PAGE_TOKEN" });
    }
  });
});

describe("quarantine", () => {
  it("takes a release out of everybody's sight, and gives it back as it was", async () => {
    await publish(owner, { name: "one", version: "1.0.0" });
    await replica.client.yankRelease({ name: "one", version: "1.0.0", reason: "slow" }, replica.as(owner));
    await decide(admin, "one", REVIEW_DECISION_QUARANTINE, "reported");
    await expectHidden("one", [anonymous, stranger]);
    expect(await release("one", owner)).toMatchObject({
      state: ReleaseState.RELEASE_STATE_QUARANTINED,
      reason: "reported",
    });
    const yank = replica.client.yankRelease({ name: "one", version: "1.0.0" }, replica.as(owner));
    await expect(yank).rejects.toMatchObject({ reason: "INVALID_STATE" });
    const renamed = publish(stranger, { name: "other", version: "1.0.0", content: "one@1.0.0" });
    await expect(renamed).rejects.toMatchObject({ reason: "CONTENT_BURNT" });
    await decide(admin, "one", REVIEW_DECISION_RELEASE, "false alarm");
    expect(await release("one", anonymous)).toMatchObject({ state: ReleaseState.RELEASE_STATE_YANKED, reason: "slow" });
    await expect
      .poll(() => world.events.map(({ subject }) => subject.split(".").pop()).sort())
      .toEqual(["published", "quarantined", "restored", "updated", "updated", "yanked"]);
  });
});

describe("a yank", () => {
  const resolve = (version: string) =>
    replica.client.resolveDownload({ name: "one", version }, replica.as(anonymous)).then((answer) => answer.release);

  it("leaves the exact version alone and takes it out of ranges, channels and latest", async () => {
    for (const version of ["1.0.0", "1.1.0"]) await publish(owner, { name: "one", version }, { channel: "beta" });
    const as = replica.as(owner);
    const { release: yanked } = await replica.client.yankRelease(
      { name: "one", version: "1.1.0", reason: "broken" },
      as,
    );
    expect(yanked).toMatchObject({ state: ReleaseState.RELEASE_STATE_YANKED, reason: "broken" });
    expect((await resolve("1.1.0"))?.state).toBe(ReleaseState.RELEASE_STATE_YANKED);
    expect((await resolve("^1"))?.version).toBe("1.0.0");
    expect((await resolve(""))?.version).toBe("1.0.0");
    await expect(resolve("beta")).rejects.toMatchObject({ kind: "not_found" });
    await replica.client.yankRelease({ name: "one", version: "1.1.0", reason: "broken" }, as);
    await replica.client.unyankRelease({ name: "one", version: "1.1.0" }, as);
    await replica.client.unyankRelease({ name: "one", version: "1.1.0" }, as);
    expect(await resolve("")).toMatchObject({ version: "1.1.0", reason: "" });
    await expect
      .poll(() => world.events.map(({ subject }) => subject.split(".").pop()))
      .toEqual(["published", "published", "yanked", "unyanked"]);
  });

  it("is for those who may update or publish", async () => {
    await publish(owner, { name: "one", version: "1.0.0" });
    const by = (caller: Caller) => replica.client.yankRelease({ name: "one", version: "1.0.0" }, replica.as(caller));
    await expect(by(stranger)).rejects.toMatchObject({ kind: "permission_denied" });
    await expect(by(anonymous)).rejects.toMatchObject({ kind: "unauthenticated" });
    await publish(owner, { name: "mine", version: "1.0.0" }, { visibility: Visibility.VISIBILITY_PRIVATE });
    const hidden = replica.client.yankRelease({ name: "mine", version: "1.0.0" }, replica.as(stranger));
    await expect(hidden).rejects.toMatchObject({ kind: "not_found" });
  });
});

describe("a deprecation", () => {
  it("is shown until it is taken back, of a plugin and of a release", async () => {
    await publish(owner, { name: "one", version: "1.0.0" });
    const deprecation = { message: "use the other one", successor: "two" };
    const as = replica.as(owner);
    await replica.client.deprecate({ name: "one", deprecation }, as);
    await replica.client.deprecate({ name: "one", version: "1.0.0", deprecation: { message: "leaks" } }, as);
    const { details } = await replica.client.getPlugin({ name: "one" }, replica.as(anonymous));
    expect(details).toMatchObject({
      plugin: { deprecation },
      release: { deprecation: { message: "leaks", successor: "" } },
    });
    await replica.client.undeprecate({ name: "one" }, as);
    await replica.client.undeprecate({ name: "one", version: "1.0.0" }, as);
    const after = await replica.client.getPlugin({ name: "one" }, replica.as(anonymous));
    expect(after.details?.plugin?.deprecation).toBeUndefined();
    expect(after.details?.release?.deprecation).toBeUndefined();
  });

  it.each([
    [{ message: "" }, "INVALID_MESSAGE"],
    [{ message: "x".repeat(501) }, "INVALID_MESSAGE"],
    [{ message: "x", successor: "Not a name" }, "INVALID_SUCCESSOR"],
    [{ message: "x", successor: "one" }, "INVALID_SUCCESSOR"],
  ])("%j is refused", async (deprecation, reason) => {
    await publish(owner, { name: "one", version: "1.0.0" });
    const asked = replica.client.deprecate({ name: "one", deprecation }, replica.as(owner));
    await expect(asked).rejects.toMatchObject({ kind: "invalid_argument", reason });
    const denied = replica.client.deprecate({ name: "one", deprecation: { message: "x" } }, replica.as(stranger));
    await expect(denied).rejects.toMatchObject({ kind: "permission_denied" });
  });
});
