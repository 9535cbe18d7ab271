import type { Event } from "@registry/bus";
import { ReleaseState, ReleaseView, Visibility } from "@registry/contracts/catalog";
import type { Caller } from "@registry/domain";
import { ticketHolds } from "@registry/kit";
import { createTestSurroundings, userCaller } from "@registry/kit/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { admin, anonymous, owner, type Replica, reader, stranger, World } from "./testing/world.ts";

let world: World;
let replica: Replica;

beforeEach(async () => {
  world = await World.open();
  replica = await world.replica();
});
afterEach(() => world.close());

async function publish(version: string, more: object = {}, name = "one"): Promise<void> {
  const record = { title: `Title of ${version}` };
  const uploadId = world.upload(owner, { name, version, record });
  await replica.client.publishRelease({ uploadId, ...more }, replica.as(owner));
}
const get = (version = "", caller: Caller = anonymous) =>
  replica.client.getPlugin({ name: "one", version }, replica.as(caller));
const resolve = async (version: string) =>
  (await replica.client.resolveDownload({ name: "one", version }, replica.as(anonymous))).release?.version;

describe("versions", () => {
  it("are resolved exactly, by range and by channel", async () => {
    for (const version of ["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"]) await publish(version);
    await publish("0.9.0", { channel: "old" });
    expect(await resolve("")).toBe("1.10.0");
    expect(await resolve("latest")).toBe("1.10.0");
    expect(await resolve("old")).toBe("0.9.0");
    expect(await resolve("1.0.0")).toBe("1.0.0");
    expect(await resolve("~1.9")).toBe("1.9.0");
    expect(await resolve("^1")).toBe("1.10.0");
    expect(await resolve("*")).toBe("1.10.0");
    expect(await resolve("2.0.0-rc.1")).toBe("2.0.0-rc.1");
    for (const none of ["3.0.0", "^3", "beta", "2.x"]) {
      await expect(resolve(none)).rejects.toMatchObject({ message: "Plugin version not found" });
    }
    await expect(resolve("not a version!")).rejects.toMatchObject({ kind: "invalid_argument" });
    const { details } = await get();
    expect(details?.versions).toEqual(["2.0.0-rc.1", "1.10.0", "1.9.0", "1.0.0", "0.9.0"]);
    expect(details?.releases.map((release) => release.version)[0]).toBe("0.9.0");
    expect(details?.plugin).toMatchObject({ latest: "1.10.0", title: "Title of 1.10.0" });
  });

  it("have a prerelease as latest only where there is nothing else", async () => {
    await publish("1.0.0-rc.1");
    expect((await get()).details?.plugin?.latest).toBe("1.0.0-rc.1");
    await publish("0.1.0");
    expect((await get()).details?.plugin?.latest).toBe("0.1.0");
  });

  it("come in pages, highest first", async () => {
    for (const version of ["1.0.0", "1.2.0", "1.1.0"]) await publish(version);
    const list = (pageToken: string) =>
      replica.client.listReleases({ name: "one", page: { pageSize: 2, pageToken } }, replica.as(anonymous));
    const first = await list("");
    expect(first.releases.map((release) => release.version)).toEqual(["1.2.0", "1.1.0"]);
    const second = await list(first.nextPageToken);
    expect(second).toMatchObject({ releases: [{ version: "1.0.0" }], nextPageToken: "" });
    await expect(list("nonsense!")).rejects.toMatchObject({ reason: "INVALID_PAGE_TOKEN" });
  });

  it("are shown basic or full, with a ticket for their bytes", async () => {
    await publish("1.0.0");
    const ask = { name: "one", version: "1.0.0" };
    const basic = await replica.client.getRelease(ask, replica.as(anonymous));
    expect(basic.release).toMatchObject({ readme: undefined, manifestJson: expect.stringContaining("1.0.0") });
    const view = ReleaseView.RELEASE_VIEW_FULL;
    const full = await replica.client.getRelease({ ...ask, view }, replica.as(anonymous));
    expect(full).toMatchObject({ release: { readme: "# one" }, plugin: { name: "one" } });
    const { ticket, release } = await replica.client.resolveDownload(ask, replica.as(anonymous));
    expect(ticketHolds(createTestSurroundings().keys, "blob", release?.sha256 ?? "", ticket, new Date())).toBe(true);
  });
});

describe("channels", () => {
  it("stay where they were moved by hand, and latest goes back when it is deleted", async () => {
    await publish("1.0.0");
    await publish("2.0.0");
    const { plugin } = await replica.client.setChannel(
      { name: "one", channel: "latest", version: "1.0.0" },
      replica.as(owner),
    );
    expect(plugin).toMatchObject({ latest: "1.0.0", title: "Title of 1.0.0", channels: { latest: "1.0.0" } });
    await publish("3.0.0", { channel: "latest" });
    expect(await resolve("")).toBe("1.0.0");
    const back = await replica.client.deleteChannel({ name: "one", channel: "latest" }, replica.as(owner));
    expect(back.plugin).toMatchObject({ latest: "3.0.0", channels: { latest: "3.0.0" } });
  });

  it("name published versions of this plugin only", async () => {
    await publish("1.0.0", { channel: "beta" });
    const as = replica.as(owner);
    const bad = (channel: string, version: string) => replica.client.setChannel({ name: "one", channel, version }, as);
    await expect(bad("beta", "9.9.9")).rejects.toMatchObject({ reason: "VERSION_NOT_FOUND" });
    await expect(bad("1.0", "1.0.0")).rejects.toMatchObject({ reason: "INVALID_CHANNEL" });
    await expect(bad("__proto__", "1.0.0")).rejects.toMatchObject({ reason: "INVALID_CHANNEL" });
    await replica.client.deleteChannel({ name: "one", channel: "beta" }, as);
    await expect(replica.client.deleteChannel({ name: "one", channel: "beta" }, as)).rejects.toMatchObject({
      reason: "CHANNEL_NOT_FOUND",
    });
  });
});

describe("an update", () => {
  beforeEach(() => publish("1.0.0"));
  const update = (change: object, caller: Caller = owner) =>
    replica.client.updatePlugin({ name: "one", ...change }, replica.as(caller));

  it("overrides what the archive says until it is given back", async () => {
    expect((await update({ title: "Mine", description: "Better" })).plugin).toMatchObject({ title: "Mine" });
    await publish("2.0.0");
    expect((await get()).details?.plugin).toMatchObject({ title: "Mine", description: "Better", latest: "2.0.0" });
    expect((await update({ title: "" })).plugin).toMatchObject({ title: "Title of 2.0.0", description: "Better" });
    await expect(update({ title: "x".repeat(201) })).rejects.toMatchObject({ reason: "INVALID_TITLE" });
  });

  it("hides from the next answer on", async () => {
    await update({ visibility: Visibility.VISIBILITY_PRIVATE });
    await expect(get()).rejects.toMatchObject({ kind: "not_found" });
    const found = await replica.client.searchPlugins({}, replica.as(anonymous));
    expect(found.total).toBe(0);
    await vi.waitFor(() =>
      expect(world.events.map((event) => event.subject)).toContain("registry.catalog.plugin.updated"),
    );
    const told = world.events.find((event) => event.subject.endsWith("updated"));
    expect(told).toMatchObject({ about: "one", data: { visibility: "private", updatedBy: "olga" } });
  });

  it("gives the plugin to another user, who alone owns it then", async () => {
    await expect(update({ owner: "nobody" })).rejects.toMatchObject({ reason: "UNKNOWN_OWNER" });
    expect((await update({ owner: "stefan" })).plugin?.owner).toBe("stefan");
    await expect(update({ title: "x" })).rejects.toMatchObject({ kind: "permission_denied" });
    expect((await update({ title: "x" }, stranger)).plugin?.title).toBe("x");
    await expect(publish("2.0.0")).rejects.toMatchObject({ kind: "permission_denied" });
  });

  it("leaves verification to administrators, and giving away to the owner", async () => {
    await expect(update({ verified: true })).rejects.toMatchObject({ kind: "permission_denied" });
    expect((await update({ verified: true }, admin)).plugin?.verified).toBe(true);
    const helper = userCaller("hugo", "user", 15, ["update:one"]);
    await expect(update({ owner: "hugo" }, helper)).rejects.toMatchObject({ kind: "permission_denied" });
    expect((await update({ description: "helped" }, helper)).plugin?.description).toBe("helped");
    await expect(update({ title: "x" }, reader)).rejects.toMatchObject({ kind: "permission_denied" });
  });
});

describe("a deletion", () => {
  it("of a release leaves a tombstone, and latest moves down", async () => {
    await publish("1.0.0");
    await publish("2.0.0", { channel: "beta" });
    const remove = (caller: Caller) =>
      replica.client.deleteRelease({ name: "one", version: "2.0.0", reason: "broken" }, replica.as(caller));
    await expect(remove(stranger)).rejects.toMatchObject({ kind: "permission_denied" });
    await remove(owner);
    const gone = { kind: "gone", reason: "RELEASE_DELETED" };
    await expect(remove(owner)).rejects.toMatchObject(gone);
    await expect(get("2.0.0")).rejects.toMatchObject(gone);
    await expect(resolve("2.0.0")).rejects.toMatchObject(gone);
    expect((await get()).details).toMatchObject({ plugin: { latest: "1.0.0", channels: { latest: "1.0.0" } } });
    expect((await get()).details?.versions).toEqual(["1.0.0"]);
    await expect(publish("2.0.0")).rejects.toMatchObject({ kind: "already_exists", reason: "RELEASE_DELETED" });
    await vi.waitFor(() => expect(world.events.at(-1)?.subject).toBe("registry.catalog.release.deleted"));
    expect(world.events.at(-1)?.data).toMatchObject({ version: "2.0.0", deletedBy: "olga" });
  });

  it("of a plugin burns its versions and keeps the name with its owner", async () => {
    await publish("1.0.0");
    await publish("2.0.0");
    const remove = () => replica.client.deletePlugin({ name: "one", reason: "gone" }, replica.as(owner));
    expect((await remove()).deletedReleases).toBe(2);
    const gone = { kind: "gone", reason: "PLUGIN_DELETED" };
    await expect(get()).rejects.toMatchObject(gone);
    await expect(get("", stranger)).rejects.toMatchObject(gone);
    await expect(remove()).rejects.toMatchObject(gone);
    await expect(resolve("latest")).rejects.toMatchObject(gone);
    await expect(resolve("1.0.0")).rejects.toMatchObject({ reason: "RELEASE_DELETED" });
    expect((await replica.client.listPlugins({}, replica.as(owner))).plugins).toEqual([]);
    expect((await replica.client.getRegistryInfo({}, replica.as(anonymous))).pluginsCount).toBe(0);
    await vi.waitFor(() => expect(world.events).toHaveLength(5));
    const revision = (event: Event): number => Number((event.data as { revision: string }).revision);
    const told = [...world.events].sort((a, b) => revision(a) - revision(b));
    expect(told.map((event) => event.subject.split(".").slice(2).join("."))).toEqual([
      "release.published",
      "release.published",
      "release.deleted",
      "release.deleted",
      "plugin.deleted",
    ]);
    expect(new Set(told.map(revision)).size).toBe(5);
    const theirs = world.upload(stranger, { name: "one", version: "3.0.0" });
    const taken = replica.client.publishRelease({ uploadId: theirs }, replica.as(stranger));
    await expect(taken).rejects.toMatchObject({ kind: "permission_denied" });
    await publish("3.0.0");
    expect((await get()).details?.versions).toEqual(["3.0.0"]);
  });

  it("of what is private tells nobody that it was", async () => {
    await publish("1.0.0", { visibility: Visibility.VISIBILITY_PRIVATE });
    await replica.client.deletePlugin({ name: "one" }, replica.as(admin));
    await expect(get("", stranger)).rejects.toMatchObject({ kind: "not_found" });
    await expect(get("", owner)).rejects.toMatchObject({ kind: "gone" });
  });

  it("frees the bytes", async () => {
    await publish("1.0.0");
    const { details } = await get();
    const digest = details?.release?.sha256 ?? "";
    expect(details?.release?.state).toBe(ReleaseState.RELEASE_STATE_PUBLISHED);
    const ask = async (digests: string[]) =>
      (await replica.client.filterReferenced({ digests }, replica.as({ type: "service", name: "storage" }))).referenced;
    const other = "0".repeat(64);
    expect(await ask([other, digest])).toEqual([digest]);
    await replica.client.deleteRelease({ name: "one", version: "1.0.0" }, replica.as(owner));
    expect(await ask([other, digest])).toEqual([]);
    await expect(ask(["nonsense"])).rejects.toMatchObject({ reason: "INVALID_DIGEST" });
  });
});
