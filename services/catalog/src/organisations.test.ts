import { type Plugin, Visibility } from "@registry/contracts/catalog";
import type { Caller, UserCaller } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admin, anonymous, memberOf, outsider, owner, type Replica, reader, stranger, World } from "./testing/world.ts";

let world: World;
let replica: Replica;

const chief = memberOf("carla", 21, "owner");
const keeper = memberOf("kim", 22, "maintainer");
const maker = memberOf("mia", 23, "publisher");
const guest = memberOf("gus", 24, "reader");
const core = memberOf("cora", 25, "reader", { core: "publisher" });
const everybody = { anonymous, outsider, stranger, chief, keeper, maker, guest, core, admin };
type Who = keyof typeof everybody;

beforeAll(async () => {
  world = await World.open();
  replica = await world.replica();
});
afterAll(() => world.close());

interface Asked {
  readonly version?: string;
  readonly visibility?: Visibility;
  readonly owner?: string;
  readonly team?: string;
}

async function publish(caller: Caller, name: string, { version = "1.0.0", ...asked }: Asked = {}): Promise<Plugin> {
  const uploadId = world.upload(caller, { name, version });
  const { plugin } = await replica.client.publishRelease({ uploadId, ...asked }, replica.as(caller));
  if (plugin === undefined) throw new Error("no plugin");
  return plugin;
}

const outcome = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "ok",
    (error: { reason: string }) => error.reason,
  );

async function whoMay(act: (caller: Caller, who: Who) => Promise<unknown>): Promise<Who[]> {
  const may: Who[] = [];
  for (const [who, caller] of Object.entries(everybody) as [Who, Caller][]) {
    if ((await outcome(act(caller, who))) === "ok") may.push(who);
  }
  return may;
}

describe("a new name in an organisation's namespace", () => {
  it("is for those who publish for it, and belongs to the organisation", async () => {
    const may = await whoMay((caller, who) => publish(caller, `@acme/by-${who}`));
    expect(may).toEqual(["chief", "keeper", "maker", "core", "admin"]);
    const plugin = await publish(maker, "@acme/first");
    expect(plugin).toMatchObject({ owner: "acme", ownerType: "organisation" });
  });

  it("is nobody else's, whether the namespace exists or not", async () => {
    for (const name of ["@acme/mine", "@nobody/mine", "@gone/mine"]) {
      expect(await outcome(publish(stranger, name))).toBe("PERMISSION_DENIED");
    }
    for (const name of ["@nobody/mine", "@gone/mine"]) {
      expect(await outcome(publish(admin, name))).toBe("NAMESPACE_UNKNOWN");
    }
  });

  it("in a user's own namespace belongs to the user, also where an administrator publishes it", async () => {
    expect(await publish(stranger, "@stefan/one")).toMatchObject({ owner: "stefan", ownerType: "user" });
    expect(await publish(admin, "@stefan/two")).toMatchObject({ owner: "stefan", ownerType: "user" });
    expect(await outcome(publish(owner, "@stefan/three"))).toBe("PERMISSION_DENIED");
  });

  it("may be granted to somebody by permission, whole or by name", async () => {
    const granted = (grant: string): UserCaller => ({ ...(outsider as UserCaller), grants: [grant] });
    expect(await publish(granted("publish:@acme/*"), "@acme/granted")).toMatchObject({ owner: "acme" });
    expect(await outcome(publish(granted("publish:@acme/other"), "@acme/by-name"))).toBe("PERMISSION_DENIED");
    expect(await outcome(publish(granted("publish:@acme"), "@acme/by-prefix"))).toBe("PERMISSION_DENIED");
  });

  it("is out of reach of a token for another namespace or name", async () => {
    const scoped = (scope: string): UserCaller => ({ ...chief, scopes: [scope] });
    expect(await publish(scoped("publish:@acme/*"), "@acme/scoped")).toMatchObject({ owner: "acme" });
    for (const scope of ["publish:@acme-tools/*", "publish:@acme/other", "read", "publish:acme"]) {
      expect(await outcome(publish(scoped(scope), "@acme/out-of-scope")), scope).toBe("PERMISSION_DENIED");
    }
  });
});

describe("a name without a namespace", () => {
  it("may be published for an organisation by those who publish for it", async () => {
    expect(await publish(maker, "for-acme", { owner: "acme" })).toMatchObject({ owner: "acme" });
    expect(await outcome(publish(guest, "for-acme-too", { owner: "acme" }))).toBe("PERMISSION_DENIED");
    expect(await outcome(publish(stranger, "for-acme-too", { owner: "acme" }))).toBe("PERMISSION_DENIED");
    expect(await outcome(publish(maker, "of-my-own"))).toBe("PERMISSION_DENIED");
    expect(await outcome(publish(maker, "@acme/x", { owner: "stefan" }))).toBe("OWNER_MISMATCH");
    expect(await outcome(publish(admin, "for-gone", { owner: "gone" }))).toBe("UNKNOWN_OWNER");
  });

  it("takes a namespace from the request where its format has none", async () => {
    const uploadId = world.upload(maker, { name: "bare", version: "1.0.0" });
    const request = { uploadId, expectedName: "@acme/bare" };
    const { plugin } = await replica.client.publishRelease(request, replica.as(maker));
    expect(plugin).toMatchObject({ name: "@acme/bare", owner: "acme" });
    const other = world.upload(maker, { name: "bare", version: "1.1.0" });
    const wrong = { uploadId: other, expectedName: "@acme/bear" };
    expect(await outcome(replica.client.publishRelease(wrong, replica.as(maker)))).toBe("MANIFEST_MISMATCH");
  });
});

describe("what an organisation owns", () => {
  const sees = (name: string) =>
    whoMay(async (caller) => {
      await replica.client.getPlugin({ name }, replica.as(caller));
      await replica.client.resolveDownload({ name }, replica.as(caller));
    });
  const lists = (name: string) =>
    whoMay(async (caller) => {
      const { plugins } = await replica.client.listPlugins({ page: { pageSize: 500 } }, replica.as(caller));
      if (!plugins.some((plugin) => plugin.name === name)) throw Object.assign(new Error(), { reason: "NOT_LISTED" });
    });

  it("is seen, when private, by every member and administrators", async () => {
    await publish(maker, "@acme/inner", { visibility: Visibility.VISIBILITY_PRIVATE });
    const members = ["chief", "keeper", "maker", "guest", "core", "admin"];
    expect(await sees("@acme/inner")).toEqual(members);
    expect(await lists("@acme/inner")).toEqual(members);
  });

  it("is seen, when for a team, by that team, the owners and administrators", async () => {
    await publish(core, "@acme/kernel", { visibility: Visibility.VISIBILITY_TEAM, team: "core" });
    expect(await sees("@acme/kernel")).toEqual(["chief", "core", "admin"]);
    expect(await lists("@acme/kernel")).toEqual(["chief", "core", "admin"]);
    const next = await whoMay((caller, who) => publish(caller, "@acme/kernel", { version: `2.0.${everybodyAt(who)}` }));
    expect(next).toEqual(["chief", "core", "admin"]);
  });

  it("gives its team a role on it, and others what they are to the organisation", async () => {
    await publish(chief, "@acme/shared", { team: "core" });
    const may = await whoMay((caller, who) => publish(caller, "@acme/shared", { version: `2.0.${everybodyAt(who)}` }));
    expect(may).toEqual(["chief", "keeper", "maker", "core", "admin"]);
    const shown = async (caller: Caller): Promise<string | undefined> =>
      (await replica.client.getPlugin({ name: "@acme/shared" }, replica.as(caller))).details?.plugin?.team;
    expect(await shown(guest)).toBe("core");
    expect(await shown(stranger)).toBe("");
  });

  it("is changed, deleted and given away by ever fewer", async () => {
    await publish(maker, "@acme/ladder");
    const name = "@acme/ladder";
    const update = (caller: Caller) => replica.client.updatePlugin({ name, title: "A ladder" }, replica.as(caller));
    expect(await whoMay(update)).toEqual(["chief", "keeper", "maker", "admin"]);
    const expose = (caller: Caller) =>
      replica.client.updatePlugin({ name, visibility: Visibility.VISIBILITY_PRIVATE }, replica.as(caller));
    expect(await whoMay(expose)).toEqual(["chief", "admin"]);
    const remove = async (caller: Caller, who: Who) => {
      await publish(admin, name, { version: `3.0.${everybodyAt(who)}` });
      await replica.client.deleteRelease({ name, version: `3.0.${everybodyAt(who)}` }, replica.as(caller));
    };
    expect(await whoMay(remove)).toEqual(["chief", "keeper", "admin"]);
    const own = await publish(maker, name, { version: "4.0.0" });
    expect(await outcome(replica.client.deleteRelease({ name: own.name, version: "4.0.0" }, replica.as(maker)))).toBe(
      "ok",
    );
  });

  it("is nothing to somebody who was removed", async () => {
    const removed: UserCaller = { ...maker, memberships: [] };
    expect(await outcome(replica.client.getPlugin({ name: "@acme/inner" }, replica.as(removed)))).toBe(
      "PLUGIN_NOT_FOUND",
    );
    expect(await outcome(publish(removed, "@acme/inner", { version: "9.0.0" }))).toBe("PERMISSION_DENIED");
  });

  it("shows somebody who was removed neither what is held of their own, nor the answer to an earlier publish", async () => {
    const removed: UserCaller = { ...maker, memberships: [] };
    const odd = { rule: "odd", severity: "high", message: "Odd", file: "a.md", line: 1, pointer: "" };
    const uploads = { open: "", closed: "" };
    for (const [name, visibility] of [
      ["open", Visibility.VISIBILITY_PUBLIC],
      ["closed", Visibility.VISIBILITY_PRIVATE],
    ] as const) {
      await publish(chief, `@acme/left-${name}`, { visibility });
      const more = { findings: [odd] };
      uploads[name] = world.upload(maker, { name: `@acme/left-${name}`, version: "2.0.0", more });
      await replica.client.publishRelease({ uploadId: uploads[name] }, replica.as(maker));
      world.storage.uploads.delete(uploads[name]);
    }
    const looks = (caller: Caller, name: "open" | "closed") =>
      Promise.all([
        outcome(replica.client.getRelease({ name: `@acme/left-${name}`, version: "2.0.0" }, replica.as(caller))),
        outcome(replica.client.resolveDownload({ name: `@acme/left-${name}`, version: "2.0.0" }, replica.as(caller))),
        outcome(replica.client.publishRelease({ uploadId: uploads[name] }, replica.as(caller))),
      ]);
    for (const name of ["open", "closed"] as const) expect(await looks(maker, name)).toEqual(["ok", "ok", "ok"]);
    expect(await looks(removed, "open")).toEqual(["VERSION_NOT_FOUND", "VERSION_NOT_FOUND", "UPLOAD_NOT_FOUND"]);
    expect(await looks(removed, "closed")).toEqual(["PLUGIN_NOT_FOUND", "PLUGIN_NOT_FOUND", "UPLOAD_NOT_FOUND"]);
  });

  it("takes a first release that is held from whoever publishes for one of its teams", async () => {
    const odd = { rule: "odd", severity: "high", message: "Odd", file: "a.md", line: 1, pointer: "" };
    const uploadId = world.upload(core, { name: "@acme/held", version: "1.0.0", more: { findings: [odd] } });
    const { release } = await replica.client.publishRelease({ uploadId }, replica.as(core));
    expect(release?.state).toBe("RELEASE_STATE_STAGED");
  });

  it("has a team only where the organisation has one of that name", async () => {
    expect(await outcome(publish(chief, "@acme/lost", { team: "nope" }))).toBe("INVALID_TEAM");
    expect(await outcome(publish(owner, "no-org", { team: "core" }))).toBe("INVALID_TEAM");
    const alone = { visibility: Visibility.VISIBILITY_TEAM };
    expect(await outcome(publish(chief, "@acme/alone", alone))).toBe("INVALID_VISIBILITY");
    await publish(chief, "@acme/later");
    const change = (more: object) =>
      outcome(replica.client.updatePlugin({ name: "@acme/later", ...more }, replica.as(chief)));
    expect(await change(alone)).toBe("INVALID_VISIBILITY");
    expect(await change({ ...alone, team: "core" })).toBe("ok");
    expect(await change({ team: "" })).toBe("INVALID_VISIBILITY");
  });
});

describe("roles that an owner gives on one plugin", () => {
  const name = "workshop";
  const owners = async (caller: Caller) =>
    (await replica.client.listOwners({ name }, replica.as(caller))).owners.map(({ name: who, role }) => [who, role]);
  const give = (caller: Caller, username: string, role: string) =>
    outcome(replica.client.setCollaborator({ name, username, role }, replica.as(caller)));
  const take = (caller: Caller, username: string) =>
    outcome(replica.client.removeCollaborator({ name, username }, replica.as(caller)));

  it("hold for a user who may publish nothing else, until they are taken", async () => {
    await publish(owner, name, { visibility: Visibility.VISIBILITY_PRIVATE });
    const look = () => outcome(replica.client.getPlugin({ name }, replica.as(outsider)));
    expect(await look()).toBe("PLUGIN_NOT_FOUND");
    const canPublish = async (caller: Caller) => (await replica.client.canPublish({}, replica.as(caller))).allowed;
    expect(await give(owner, "uma", "reader")).toBe("ok");
    expect(await look()).toBe("ok");
    expect(await canPublish(outsider)).toBe(false);
    expect(await outcome(publish(outsider, name, { version: "1.1.0" }))).toBe("PERMISSION_DENIED");
    expect(await give(owner, "uma", "publisher")).toBe("ok");
    const reading: UserCaller = { ...(outsider as UserCaller), scopes: ["read"] };
    expect([await canPublish(outsider), await canPublish(maker), await canPublish(reading)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await outcome(publish(outsider, name, { version: "1.1.0" }))).toBe("ok");
    expect(await owners(owner)).toEqual([
      ["olga", "owner"],
      ["uma", "publisher"],
    ]);
    expect(await outcome(publish(outsider, "something-else"))).toBe("PERMISSION_DENIED");
    expect(await take(owner, "uma")).toBe("ok");
    expect(await look()).toBe("PLUGIN_NOT_FOUND");
    expect(await outcome(publish(outsider, name, { version: "1.2.0" }))).toBe("PERMISSION_DENIED");
  });

  it("are given by the owner alone, to users that there are", async () => {
    expect(await give(stranger, "uma", "reader")).toBe("PLUGIN_NOT_FOUND");
    expect(await give(owner, "nobody", "reader")).toBe("UNKNOWN_USER");
    expect(await give(owner, "uma", "owner")).toBe("INVALID_ROLE");
    expect(await give(owner, "uma", "king")).toBe("INVALID_ROLE");
    expect(await take(owner, "uma")).toBe("COLLABORATOR_NOT_FOUND");
    expect(await give(owner, "stefan", "maintainer")).toBe("ok");
    expect(await give(stranger, "uma", "reader")).toBe("PERMISSION_DENIED");
    expect(await take(stranger, "stefan")).toBe("ok");
    expect(await outcome(replica.client.getPlugin({ name }, replica.as(stranger)))).toBe("PLUGIN_NOT_FOUND");
  });

  it("are nobody's business who has none", async () => {
    const open = "open-shop";
    await publish(owner, open);
    for (const caller of [reader, stranger, core]) {
      expect(await outcome(replica.client.listOwners({ name: open }, replica.as(caller)))).toBe("PERMISSION_DENIED");
    }
  });
});

describe("a transfer", () => {
  const transfer = (caller: Caller, name: string, to: string, ownerType: string) =>
    outcome(replica.client.transferPlugin({ name, owner: to, ownerType }, replica.as(caller)));

  it("gives a plugin to an organisation that its owner publishes for, and takes everybody's role with it", async () => {
    const both: UserCaller = { ...maker, role: "publisher" };
    await publish(both, "nomad", { visibility: Visibility.VISIBILITY_PRIVATE });
    const collaborator = { name: "nomad", username: "uma", role: "reader" };
    await replica.client.setCollaborator(collaborator, replica.as(both));
    expect(await transfer(stranger, "nomad", "acme", "organisation")).toBe("PLUGIN_NOT_FOUND");
    expect(await transfer(both, "nomad", "acme", "organisation")).toBe("ok");
    const { details } = await replica.client.getPlugin({ name: "nomad" }, replica.as(guest));
    expect(details?.plugin).toMatchObject({ owner: "acme", ownerType: "organisation" });
    expect(await outcome(replica.client.getPlugin({ name: "nomad" }, replica.as(outsider)))).toBe("PLUGIN_NOT_FOUND");
    expect(await transfer(both, "nomad", "mia", "user")).toBe("PERMISSION_DENIED");
    expect(await transfer(chief, "nomad", "stefan", "user")).toBe("ok");
    expect(await outcome(replica.client.getPlugin({ name: "nomad" }, replica.as(chief)))).toBe("PLUGIN_NOT_FOUND");
    expect(await outcome(publish(stranger, "nomad", { version: "2.0.0" }))).toBe("ok");
  });

  it("is refused where the receiver would not be asked, does not exist or the name belongs to a namespace", async () => {
    await publish(owner, "settled");
    expect(await transfer(owner, "settled", "acme", "organisation")).toBe("PERMISSION_DENIED");
    expect(await transfer(owner, "settled", "nobody", "user")).toBe("UNKNOWN_OWNER");
    expect(await transfer(owner, "settled", "stefan", "sect")).toBe("INVALID_OWNER_TYPE");
    expect(await transfer(admin, "settled", "gone", "organisation")).toBe("UNKNOWN_OWNER");
    await publish(chief, "@acme/rooted");
    expect(await transfer(chief, "@acme/rooted", "stefan", "user")).toBe("NAMESPACE_KEEPS_NAME");
    expect(await transfer(admin, "@acme/rooted", "stefan", "user")).toBe("NAMESPACE_KEEPS_NAME");
  });

  it("ends what an administrator said of the plugin in its old hands", async () => {
    const { client } = replica;
    await publish(owner, "trusted");
    await client.updatePlugin({ name: "trusted", verified: true }, replica.as(admin));
    expect(await transfer(owner, "trusted", "stefan", "user")).toBe("ok");
    const { details } = await client.getPlugin({ name: "trusted" }, replica.as(anonymous));
    expect(details?.plugin).toMatchObject({ owner: "stefan", verified: false });
    const back = { name: "trusted", owner: "olga", verified: true };
    expect((await client.updatePlugin(back, replica.as(admin))).plugin).toMatchObject({
      owner: "olga",
      verified: true,
    });
  });

  it("leaves no team behind", async () => {
    await publish(chief, "teamed", { owner: "acme", visibility: Visibility.VISIBILITY_TEAM, team: "core" });
    expect(await transfer(chief, "teamed", "stefan", "user")).toBe("ok");
    const { details } = await replica.client.getPlugin({ name: "teamed" }, replica.as(stranger));
    expect(details?.plugin).toMatchObject({ owner: "stefan", visibility: Visibility.VISIBILITY_PRIVATE, team: "" });
    expect(await outcome(replica.client.getPlugin({ name: "teamed" }, replica.as(core)))).toBe("PLUGIN_NOT_FOUND");
  });
});

function everybodyAt(who: Who): number {
  return Object.keys(everybody).indexOf(who);
}
