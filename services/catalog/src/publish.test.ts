import { ReleaseState, Visibility } from "@registry/contracts/catalog";
import type { Caller } from "@registry/domain";
import { userCaller } from "@registry/kit/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { admin, anonymous, owner, type Package, type Replica, reader, stranger, World } from "./testing/world.ts";

let world: World;
let replica: Replica;

beforeEach(async () => {
  world = await World.open();
  replica = await world.replica();
});
afterEach(() => world.close());

function publish(caller: Caller, pack: Package, more: object = {}, by = replica) {
  return by.client.publishRelease({ uploadId: world.upload(caller, pack), ...more }, by.as(caller));
}
const get = (caller: Caller, name: string, version = "") =>
  replica.client.getPlugin({ name, version }, replica.as(caller));

describe("a publish", () => {
  it("is seen in the very next answers, with everything that the package says", async () => {
    const record = {
      title: "Weather",
      description: "Forecasts",
      author: { name: "Olga", url: "https://olga.example" },
      license: "MIT",
      homepage: "javascript:alert(1)",
      tags: ["weather", "api"],
      category: "data",
      capabilities: ["forecast"],
    };
    const done = await publish(owner, { name: "weather-tool", version: "1.0.0", record });
    expect(done.created).toBe(true);
    expect(done.plugin).toMatchObject({ name: "weather-tool", latest: "1.0.0", owner: "olga", revision: 1 });
    expect(done.release).toMatchObject({ state: ReleaseState.RELEASE_STATE_PUBLISHED, publishedBy: "olga" });

    const { details } = await get(anonymous, "weather-tool");
    expect(details?.plugin).toMatchObject({
      title: "Weather",
      kind: "tool",
      author: { name: "Olga", email: "", url: "https://olga.example" },
      homepage: "",
      tags: ["weather", "api"],
      channels: { latest: "1.0.0" },
    });
    expect(details?.release).toMatchObject({ version: "1.0.0", readme: "# weather-tool" });
    expect(JSON.parse(details?.release?.manifestJson ?? "")).toMatchObject({ $schema: "x", version: "1.0.0" });
    expect(details?.versions).toEqual(["1.0.0"]);
    const found = await replica.client.searchPlugins({ query: "forecast" }, replica.as(anonymous));
    expect(found.plugins.map((plugin) => plugin.name)).toEqual(["weather-tool"]);
    expect((await replica.client.getRegistryInfo({}, replica.as(anonymous))).pluginsCount).toBe(1);
  });

  it("tells of itself once, with the plugin's revision", async () => {
    const done = await publish(owner, { name: "one", version: "1.0.0" });
    await vi.waitFor(() => expect(world.events).toHaveLength(1));
    expect(world.events[0]).toMatchObject({
      subject: "registry.catalog.release.published",
      about: "one",
      data: { plugin: "one", version: "1.0.0", publishedBy: "olga", kind: "tool", visibility: "public" },
    });
    const told = world.events[0]?.data as { revision: string };
    expect(Number(told.revision)).toBe(done.plugin?.revision);
  });

  it("of the same bytes again is a success that changes nothing", async () => {
    const pack = { name: "one", version: "1.0.0" };
    const first = await publish(owner, pack);
    const again = await publish(owner, pack);
    expect(again).toMatchObject({ created: false, plugin: { revision: first.plugin?.revision } });
    expect(world.storage.uploads.size).toBe(1);
    const used = [...world.storage.uploads.keys()][0] ?? "";
    world.storage.uploads.clear();
    const answer = await replica.client.publishRelease({ uploadId: used }, replica.as(owner));
    expect(answer).toMatchObject({ created: false, release: { version: "1.0.0" } });
  });

  it("of other bytes as a version that is there is refused and leaves nothing", async () => {
    await publish(owner, { name: "one", version: "1.0.0" });
    const other = publish(owner, { name: "one", version: "1.0.0", content: "other" });
    await expect(other).rejects.toMatchObject({ kind: "already_exists", reason: "RELEASE_EXISTS" });
    expect(world.storage.uploads.size).toBe(1);
    expect((await get(owner, "one")).details?.versions).toEqual(["1.0.0"]);
  });

  it("with a visibility that this version does not know is refused, not shown to everybody", async () => {
    const asked = publish(owner, { name: "shy", version: "1.0.0" }, { visibility: Visibility.UNRECOGNIZED });
    await expect(asked).rejects.toMatchObject({ kind: "invalid_argument", reason: "INVALID_VISIBILITY" });
    await expect(get(admin, "shy")).rejects.toMatchObject({ kind: "not_found" });
    expect(world.storage.uploads.size).toBe(0);
  });

  it("goes under the name in the archive alone", async () => {
    const pack = { name: "one", version: "1.0.0" };
    const named = publish(owner, pack, { expectedName: "two" });
    await expect(named).rejects.toMatchObject({ kind: "rejected", reason: "MANIFEST_MISMATCH" });
    await expect(named).rejects.toThrow(/"one".*"two"/);
    const versioned = publish(owner, pack, { expectedVersion: "2.0.0" });
    await expect(versioned).rejects.toMatchObject({ reason: "MANIFEST_MISMATCH" });
    expect(world.storage.uploads.size).toBe(0);
    const skill = await publish(owner, { name: "skill", version: "" }, { expectedVersion: "0.1.0" });
    expect(skill.release?.version).toBe("0.1.0");
    await expect(publish(owner, { name: "skill2", version: "" })).rejects.toMatchObject({ reason: "INVALID_VERSION" });
  });

  const refused: readonly (readonly [Package, string])[] = [
    [{ name: "Upper", version: "1.0.0" }, "INVALID_NAME"],
    [{ name: "all", version: "1.0.0" }, "RESERVED_NAME"],
    [{ name: "one", version: "1.0.0+build" }, "INVALID_VERSION"],
    [{ name: "one", version: "1.0.0", more: { findings: [finding("critical")] } }, "CHECKS_FAILED"],
  ];
  it.each(refused)("of %j is rejected with a reason", async (pack, reason) => {
    await expect(publish(owner, pack)).rejects.toMatchObject({ kind: "rejected", reason });
    await expectNothingLeft();
  });

  it("needs the right, and the name", async () => {
    await publish(owner, { name: "mine", version: "1.0.0" }, { visibility: Visibility.VISIBILITY_PRIVATE });
    const denied = { kind: "permission_denied", message: "Permission denied" };
    await expect(publish(stranger, { name: "mine", version: "2.0.0" })).rejects.toMatchObject(denied);
    await expect(publish(reader, { name: "new", version: "1.0.0" })).rejects.toMatchObject(denied);
    const nobody = replica.client.publishRelease({ uploadId: "upload-1" }, replica.as(anonymous));
    await expect(nobody).rejects.toMatchObject({ kind: "unauthenticated" });
    const granted = userCaller("gina", "user", 14, ["publish:mine"]);
    await expect(publish(granted, { name: "other", version: "2.0.0" })).rejects.toMatchObject(denied);
    expect((await publish(granted, { name: "mine", version: "2.0.0" })).plugin?.owner).toBe("olga");
    expect((await publish(admin, { name: "mine", version: "3.0.0" })).plugin?.owner).toBe("olga");
    expect([...world.storage.uploads.values()].map((upload) => `${upload.name} ${upload.version}`)).toEqual([
      "mine 1.0.0",
      "mine 2.0.0",
      "mine 3.0.0",
    ]);
  });

  it("of somebody else's upload finds none, and leaves it alone", async () => {
    const uploadId = world.upload(owner, { name: "one", version: "1.0.0" });
    const stolen = replica.client.publishRelease({ uploadId }, replica.as(stranger));
    await expect(stolen).rejects.toMatchObject({ kind: "not_found", reason: "UPLOAD_NOT_FOUND" });
    expect(world.storage.uploads.has(uploadId)).toBe(true);
  });

  it("under a look-alike name is rejected without naming what is private", async () => {
    await publish(owner, { name: "modern-tool", version: "1.0.0" });
    await publish(owner, { name: "secret", version: "1.0.0" }, { visibility: Visibility.VISIBILITY_PRIVATE });
    const similar = publish(stranger, { name: "modem.t0ol", version: "1.0.0" });
    await expect(similar).rejects.toMatchObject({ kind: "rejected", reason: "NAME_TOO_SIMILAR" });
    await expect(similar).rejects.toThrow(/modern-tool/);
    await expect(publish(stranger, { name: "s-e-c-r-e-t", version: "1.0.0" })).rejects.toThrow(
      /^(?!.*"secret").*taken/,
    );
  });

  it("stops at the limits", async () => {
    const small = await world.replica({ limitReleases: 2, limitChannels: 1 });
    await publish(owner, { name: "one", version: "1.0.0" }, { channel: "beta" }, small);
    const channels = publish(owner, { name: "one", version: "1.1.0" }, { channel: "next" }, small);
    await expect(channels).rejects.toMatchObject({ reason: "TOO_MANY_CHANNELS" });
    await publish(owner, { name: "one", version: "1.1.0" }, {}, small);
    const third = publish(owner, { name: "one", version: "1.2.0" }, {}, small);
    await expect(third).rejects.toMatchObject({ reason: "TOO_MANY_RELEASES" });
  });
});

function finding(severity: string) {
  return { rule: "r", severity, message: "bad", file: "a", line: 1, pointer: "" };
}

async function expectNothingLeft(): Promise<void> {
  expect(world.storage.uploads.size).toBe(0);
  for (const name of ["plugins", "releases"]) {
    const collection = await world.documents.collection({ name, indexes: [] });
    expect(await collection.countDocuments({})).toBe(0);
  }
}
