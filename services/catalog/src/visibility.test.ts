import { Visibility } from "@registry/contracts/catalog";
import type { Caller, UserCaller } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admin, anonymous, owner, type Replica, reader, stranger, World } from "./testing/world.ts";

let world: World;
let replica: Replica;
const tokenOf = (...scopes: string[]): Caller => ({ ...(admin as UserCaller), scopes });
/** An administrator's tokens carry the administrator's rights, as far as their scopes go. */
const [scoped, watchful] = [tokenOf("publish"), tokenOf("read", "download")];
const callers = { anonymous, reader, stranger, owner, admin, scoped, watchful };
type Who = keyof typeof callers;
const sees: { readonly [plugin: string]: readonly Who[] } = {
  open: ["anonymous", "reader", "stranger", "owner", "admin", "scoped", "watchful"],
  inside: ["reader", "stranger", "owner", "admin", "watchful"],
  hidden: ["owner", "admin", "watchful"],
};
const mayChange: { readonly [who in Who]?: readonly string[] } = {
  owner: ["update", "channel"],
  admin: ["update", "channel"],
  scoped: ["channel"],
};

beforeAll(async () => {
  world = await World.open();
  replica = await world.replica();
  const { VISIBILITY_INTERNAL, VISIBILITY_PRIVATE, VISIBILITY_PUBLIC } = Visibility;
  for (const [name, visibility] of [
    ["open", VISIBILITY_PUBLIC],
    ["inside", VISIBILITY_INTERNAL],
    ["hidden", VISIBILITY_PRIVATE],
  ] as const) {
    for (const version of ["1.0.0", "1.1.0"]) {
      const uploadId = world.upload(owner, { name, version, record: { tags: ["t"] } });
      await replica.client.publishRelease({ uploadId, visibility }, replica.as(owner));
    }
  }
});
afterAll(() => world.close());

describe.each(Object.keys(callers) as Who[])("%s", (who) => {
  const as = () => replica.as(callers[who]);
  const expected = Object.keys(sees).filter((name) => sees[name]?.includes(who));

  it("sees these in every list, count and search", async () => {
    const listed = await replica.client.listPlugins({}, as());
    expect(listed.plugins.map((plugin) => plugin.name)).toEqual([...expected].sort());
    const count = await replica.client.getRegistryInfo({}, as());
    expect(count.pluginsCount).toBe(expected.length);
    for (const query of ["", "what", "hidden inside open"]) {
      const found = await replica.client.searchPlugins({ query, tags: ["t"], withDetails: true }, as());
      expect(found.total).toBe(expected.length);
      expect(found.plugins.map((plugin) => plugin.name).sort()).toEqual([...expected].sort());
      expect(found.details.map((details) => details.plugin?.name).sort()).toEqual([...expected].sort());
    }
  });

  it.each(Object.keys(sees))("is answered about %s as about what does not exist, unless seen", async (name) => {
    const calls = [
      () => replica.client.getPlugin({ name }, as()),
      () => replica.client.getRelease({ name, version: "1.0.0" }, as()),
      () => replica.client.listReleases({ name }, as()),
      () => replica.client.resolveDownload({ name, version: "^1" }, as()),
    ];
    for (const call of calls) {
      if (expected.includes(name)) await call();
      else await expect(call()).rejects.toMatchObject({ kind: "not_found", message: "Plugin not found" });
    }
  });

  it("may change only what it owns or administers", async () => {
    for (const name of expected) {
      const changes = {
        update: () => replica.client.updatePlugin({ name, title: `${name} itself` }, as()),
        channel: () => replica.client.setChannel({ name, channel: "beta", version: "1.0.0" }, as()),
      };
      for (const [which, change] of Object.entries(changes)) {
        const kind = who === "anonymous" ? "unauthenticated" : "permission_denied";
        if (mayChange[who]?.includes(which)) await change();
        else await expect(change()).rejects.toMatchObject({ kind });
      }
    }
  });
});

it("is not told by deleting, updating or moving what one may not see", async () => {
  const as = replica.as(stranger);
  for (const name of ["hidden", "never-was", "../etc", "UPPER"]) {
    const calls = [
      () => replica.client.updatePlugin({ name, owner: "rita" }, as),
      () => replica.client.deletePlugin({ name }, as),
      () => replica.client.deleteRelease({ name, version: "1.0.0" }, as),
      () => replica.client.setChannel({ name, channel: "beta", version: "1.0.0" }, as),
      () => replica.client.deleteChannel({ name, channel: "latest" }, as),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({ kind: "not_found", message: "Plugin not found" });
    }
  }
});

it("answers about a name that nobody has as such, whatever comes next in order", async () => {
  for (const name of ["hidde", "a", "zzz", "open.1"]) {
    await expect(replica.client.getPlugin({ name }, replica.as(admin))).rejects.toMatchObject({
      kind: "not_found",
      reason: "PLUGIN_NOT_FOUND",
    });
  }
});

it("leaves what is for services to services", async () => {
  const filter = replica.client.filterReferenced({ digests: [] }, replica.as(admin));
  await expect(filter).rejects.toMatchObject({ kind: "permission_denied" });
  const watch = replica.client.watchChanges({}, replica.as(admin))[Symbol.asyncIterator]().next();
  await expect(watch).rejects.toMatchObject({ kind: "permission_denied" });
});
