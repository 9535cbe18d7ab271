import { ReviewDecision, Visibility } from "@registry/contracts/catalog";
import type { Caller } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { admin, owner, type Replica, stranger, World } from "./testing/world.ts";

let world: World;
let replica: Replica;

beforeEach(async () => {
  world = await World.open();
  replica = await world.replica();
});
afterEach(() => world.close());

const one = { name: "one", version: "1.0.0" };
const publish = (version = "1.0.0", more: object = {}, caller: Caller = owner) =>
  replica.client.publishRelease(
    { uploadId: world.upload(caller, { name: "one", version }), ...more },
    replica.as(caller),
  );

/** Rows since the last time, as their action, target, what was before and what is after. */
function told(): unknown[] {
  return world.audit.splice(0).map(({ action, target, beforeJson, afterJson, result }) => {
    const [before, after] = [beforeJson, afterJson].map((json) => (json === "" ? null : JSON.parse(json)));
    return { action, target, before, after, result };
  });
}

describe("the audit log has, of the catalog,", () => {
  it("publishes that made a release, under the name that the package carries", async () => {
    const { release } = await publish("1.0.0", { channel: "beta" });
    const { sha256, size } = release ?? {};
    const after = { state: "published", sha256, size, channel: "beta", visibility: "public" };
    expect(told()).toEqual([{ action: "release.publish", target: "one@1.0.0", before: null, after, result: "ok" }]);
    expect((await publish()).created).toBe(false);
    await publish("2.0.0", { dryRun: true });
    await expect(publish("not a version")).rejects.toMatchObject({ kind: "rejected" });
    expect(told()).toEqual([]);
    await expect(publish("1.1.0", {}, stranger)).rejects.toMatchObject({ kind: "permission_denied" });
    expect(told()).toMatchObject([{ target: "one@1.1.0", result: "denied" }]);
  });

  it("changes of a plugin, with what differs", async () => {
    await publish();
    told();
    const update = (change: object, caller: Caller = owner) =>
      replica.client.updatePlugin({ name: "one", ...change }, replica.as(caller));
    await update({ title: "Another title", visibility: Visibility.VISIBILITY_PRIVATE });
    await update({ owner: "stefan", verified: true }, admin);
    await update({ verified: true }, admin);
    await expect(update({ title: "x" })).rejects.toMatchObject({ kind: "not_found" });
    expect(told()).toEqual([
      {
        action: "plugin.update",
        target: "one",
        before: { visibility: "public" },
        after: { visibility: "private", title: "Another title" },
        result: "ok",
      },
      {
        action: "plugin.update",
        target: "one",
        before: { owner: "olga", verified: false },
        after: { owner: "stefan", verified: true },
        result: "ok",
      },
    ]);
  });

  it("channels, yanks and deprecations", async () => {
    await publish();
    told();
    const as = replica.as(owner);
    await replica.client.setChannel({ name: "one", channel: "stable", version: "1.0.0" }, as);
    await replica.client.deleteChannel({ name: "one", channel: "stable" }, as);
    await replica.client.yankRelease({ ...one, reason: "Broken" }, as);
    await replica.client.yankRelease({ ...one, reason: "Broken" }, as);
    await replica.client.unyankRelease(one, as);
    const deprecation = { message: "Use two", successor: "two" };
    await replica.client.deprecate({ ...one, deprecation }, as);
    await replica.client.deprecate({ name: "one", deprecation }, as);
    await replica.client.undeprecate({ name: "one" }, as);
    const row = (action: string, target: string, before: object, after: object) => ({
      ...{ action, target, before, after },
      result: "ok",
    });
    expect(told()).toEqual([
      row("channel.set", "one", { channels: {} }, { channels: { stable: "1.0.0" } }),
      row("channel.delete", "one", { channels: { stable: "1.0.0" } }, { channels: {} }),
      row("release.yank", "one@1.0.0", { state: "published", reason: "" }, { state: "yanked", reason: "Broken" }),
      row("release.unyank", "one@1.0.0", { state: "yanked", reason: "Broken" }, { state: "published", reason: "" }),
      row("plugin.deprecate", "one@1.0.0", {}, { deprecation }),
      row("plugin.deprecate", "one", {}, { deprecation }),
      row("plugin.undeprecate", "one", { deprecation }, {}),
    ]);
  });

  it("what reviewers decided, and why", async () => {
    await publish();
    told();
    const decide = (decision: ReviewDecision, reason: string) =>
      replica.client.reviewRelease({ ...one, decision, reason }, replica.as(admin));
    await decide(ReviewDecision.REVIEW_DECISION_QUARANTINE, "Reported");
    await decide(ReviewDecision.REVIEW_DECISION_QUARANTINE, "Reported");
    await decide(ReviewDecision.REVIEW_DECISION_RELEASE, "A false alarm");
    await decide(ReviewDecision.REVIEW_DECISION_QUARANTINE, "Not so false");
    await decide(ReviewDecision.REVIEW_DECISION_REJECT, "It steals");
    await expect(decide(ReviewDecision.REVIEW_DECISION_REJECT, "It steals")).rejects.toMatchObject({ kind: "gone" });
    const action = { action: "release.review", target: "one@1.0.0", result: "ok" };
    expect(told()).toMatchObject([
      { ...action, before: { state: "published" }, after: { decision: "quarantine", reason: "Reported" } },
      { ...action, before: { state: "quarantined" }, after: { decision: "release", reason: "A false alarm" } },
      { ...action, before: { state: "published" }, after: { decision: "quarantine", reason: "Not so false" } },
      { ...action, before: { state: "quarantined" }, after: { decision: "reject", reason: "It steals" } },
    ]);
  });

  it("deletions, and attempts at them", async () => {
    await publish();
    await publish("2.0.0");
    told();
    const attempt = replica.client.deletePlugin({ name: "one" }, replica.as(stranger));
    await expect(attempt).rejects.toMatchObject({ kind: "permission_denied" });
    await replica.client.deleteRelease({ ...one, reason: "Leaked" }, replica.as(owner));
    await replica.client.deletePlugin({ name: "one", reason: "Done" }, replica.as(owner));
    expect(told()).toMatchObject([
      { action: "plugin.delete", target: "one", result: "denied" },
      {
        action: "release.delete",
        target: "one@1.0.0",
        before: { state: "published" },
        after: { state: "deleted", reason: "Leaked" },
        result: "ok",
      },
      {
        action: "plugin.delete",
        target: "one",
        before: { owner: "olga", visibility: "public" },
        after: { state: "deleted", reason: "Done" },
        result: "ok",
      },
    ]);
  });
});
