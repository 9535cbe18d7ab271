import { ReviewDecision, Visibility } from "@registry/contracts/catalog";
import type { Caller } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { PluginDocument } from "./model/plugin.ts";
import { admin, anonymous, owner, type Replica, stranger, World } from "./testing/world.ts";

let world: World;
let replica: Replica;
beforeAll(async () => {
  world = await World.open();
  replica = await world.replica();
});
afterAll(() => world.close());

interface Needed {
  readonly name: string;
  readonly requirement?: string;
  readonly optional?: boolean;
}

async function publish(
  name: string,
  version: string,
  dependencies: readonly Needed[],
  by: Caller = owner,
): Promise<void> {
  const needs = dependencies.map((each) => ({ requirement: "*", optional: false, ...each }));
  const manifest = {
    name,
    version,
    requirements: { dependencies: needs.map(({ requirement, ...each }) => ({ ...each, version: requirement })) },
  };
  const more = { format: "agenticraft", manifestJson: JSON.stringify(manifest) };
  const uploadId = world.upload(by, { name, version, record: { dependencies: needs }, more });
  await replica.client.publishRelease({ uploadId }, replica.as(by));
}
const dependents = async (name: string, request: object = {}, caller: Caller = anonymous, on = replica) =>
  (await on.dependents.listDependents({ name, ...request }, on.as(caller))).dependents;
const namesOf = (list: readonly { readonly plugin: string }[]): string[] => list.map(({ plugin }) => plugin);

describe("dependents of a plugin", () => {
  it("are those whose latest release needs it, and on request those of which any listed one does", async () => {
    await publish("base", "1.0.0", []);
    await publish("uses-it", "1.0.0", [{ name: "base", requirement: "^1.0.0" }, { name: "not-here" }]);
    await publish("used-it", "1.0.0", [{ name: "base" }]);
    await publish("used-it", "1.1.0", [{ name: "base", requirement: "~1.0" }]);
    await publish("used-it", "2.0.0", [{ name: "other" }]);
    await publish("may-use-it", "0.1.0", [{ name: "base", optional: true }]);
    expect(await dependents("base")).toEqual([
      { plugin: "may-use-it", version: "0.1.0", requirement: "*", optional: true, latest: true },
      { plugin: "uses-it", version: "1.0.0", requirement: "^1.0.0", optional: false, latest: true },
    ]);
    const all = await dependents("base", { anyRelease: true });
    expect(namesOf(all)).toEqual(["may-use-it", "used-it", "uses-it"]);
    expect(all[1]).toMatchObject({ version: "1.1.0", requirement: "~1.0", latest: false });
  });

  it("come in pages", async () => {
    await publish("paged", "1.0.0", []);
    const names = ["a", "b", "c", "d", "e"].map((letter) => `pages-${letter}`);
    for (const name of names) await publish(name, "1.0.0", [{ name: "paged" }]);
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = { pageSize: 2, pageToken };
      const answer = await replica.dependents.listDependents({ name: "paged", page });
      seen.push(...namesOf(answer.dependents));
      pageToken = answer.nextPageToken;
    } while (pageToken !== "" && seen.length < 20);
    expect(seen).toEqual(names);
    for (const wrong of ["-1", " ", "../paged"]) {
      const asked = replica.dependents.listDependents({ name: "paged", page: { pageSize: 2, pageToken: wrong } });
      await expect(asked).rejects.toMatchObject({ reason: "INVALID_PAGE_TOKEN" });
    }
  });

  it("are told as far as the caller sees them, and the plugin itself", async () => {
    await publish("seen", "1.0.0", []);
    await publish("seen-by-all", "1.0.0", [{ name: "seen" }]);
    const record = { dependencies: [{ name: "seen", requirement: "*", optional: false }] };
    const uploadId = world.upload(stranger, { name: "seen-by-some", version: "1.0.0", record });
    const secretly = { uploadId, visibility: Visibility.VISIBILITY_PRIVATE };
    await replica.client.publishRelease(secretly, replica.as(stranger));
    expect(namesOf(await dependents("seen"))).toEqual(["seen-by-all"]);
    const page = { pageSize: 1, pageToken: "" };
    expect(await replica.dependents.listDependents({ name: "seen", page })).toMatchObject({ nextPageToken: "" });
    for (const caller of [stranger, admin]) {
      expect(namesOf(await dependents("seen", {}, caller))).toEqual(["seen-by-all", "seen-by-some"]);
    }
    const notFound = { kind: "not_found", reason: "PLUGIN_NOT_FOUND" };
    for (const name of ["seen-by-some", "nothing-like-it"]) {
      await expect(dependents(name)).rejects.toMatchObject(notFound);
    }
  });

  it("end with the release that needs it, and with a hidden one", async () => {
    await publish("ended", "1.0.0", []);
    await publish("ends", "1.0.0", [{ name: "ended" }]);
    await publish("hides", "1.0.0", [{ name: "ended" }]);
    expect(namesOf(await dependents("ended"))).toEqual(["ends", "hides"]);
    await replica.client.deleteRelease({ name: "ends", version: "1.0.0" }, replica.as(owner));
    const quarantine = {
      name: "hides",
      version: "1.0.0",
      decision: ReviewDecision.REVIEW_DECISION_QUARANTINE,
      reason: "x",
    } as const;
    await replica.client.reviewRelease(quarantine, replica.as(admin));
    expect(await dependents("ended", { anyRelease: true })).toEqual([]);
  });
});

describe("documents of earlier versions", () => {
  it("get what they need from their manifests, without a change that anybody is told of", async () => {
    await publish("old-base", "1.0.0", []);
    await publish("old", "1.0.0", [{ name: "old-base", requirement: "^0.9.0" }]);
    await publish("old", "1.1.0", [{ name: "old-base", requirement: "^1.0.0" }]);
    const plugins = await world.documents.collection<PluginDocument>({ name: "plugins", indexes: [] });
    const releases = await world.documents.collection<{ _id: string }>({ name: "releases", indexes: [] });
    await plugins.updateOne({ _id: "old" }, { $unset: { needs: true } });
    await releases.updateMany({ plugin: "old" }, { $unset: { dependencies: true } });
    const before = await plugins.findOne({ _id: "old" });
    const events = world.events.length;

    const upgraded = [await world.replica(), await world.replica()];
    for (const each of upgraded) {
      await vi.waitFor(async () =>
        expect(await dependents("old-base", {}, anonymous, each)).toEqual([
          { plugin: "old", version: "1.1.0", requirement: "^1.0.0", optional: false, latest: true },
        ]),
      );
    }
    const after = await plugins.findOne({ _id: "old" });
    expect([after?.revision, after?.updatedAt]).toEqual([before?.revision, before?.updatedAt]);
    expect(await releases.countDocuments({ plugin: "old", dependencies: { $exists: false } })).toBe(0);
    expect(world.events).toHaveLength(events);
  });
});
