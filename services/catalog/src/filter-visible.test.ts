import { ReviewDecision, Visibility } from "@registry/contracts/catalog";
import type { Caller } from "@registry/domain";
import { afterAll, beforeAll, expect, it } from "vitest";
import { admin, anonymous, owner, type Replica, reader, stranger, World } from "./testing/world.ts";

let world: World;
let replica: Replica;
beforeAll(async () => {
  world = await World.open();
  replica = await world.replica();
});
afterAll(() => world.close());

/** As analytics asks for somebody. */
async function sights(caller: Caller, ...asked: string[]): Promise<string[]> {
  const items = asked.map((each) => ({ name: each.split("@")[0] ?? "", version: each.split("@")[1] ?? "" }));
  const { sights: seen } = await replica.client.filterVisible({ items }, replica.as(caller));
  return seen.map(({ plugin, release }) => (release ? "release" : plugin ? "plugin" : "nothing"));
}

async function publish(
  name: string,
  version: string,
  visibility: Visibility = Visibility.VISIBILITY_PUBLIC,
): Promise<void> {
  const uploadId = world.upload(owner, { name, version });
  await replica.client.publishRelease({ uploadId, visibility }, replica.as(owner));
}

it("shows what is there, and the ends of it, to those who may see the plugin now", async () => {
  await publish("open", "1.0.0");
  await publish("open", "1.1.0");
  await publish("hidden", "1.0.0", Visibility.VISIBILITY_PRIVATE);
  const asked = ["open", "open@1.0.0", "open@9.9.9", "hidden", "hidden@1.0.0", "never-was", "../etc@x"];
  for (const caller of [anonymous, reader, stranger]) {
    expect(await sights(caller, ...asked)).toEqual([
      ...["plugin", "release", "plugin"],
      ...["nothing", "nothing", "nothing", "nothing"],
    ]);
  }
  expect(await sights(owner, "hidden", "hidden@1.0.0")).toEqual(["plugin", "release"]);

  await replica.client.deleteRelease({ name: "open", version: "1.0.0" }, replica.as(owner));
  expect(await sights(anonymous, "open@1.0.0", "open@1.1.0")).toEqual(["release", "release"]);
  await replica.client.deletePlugin({ name: "hidden" }, replica.as(owner));
  expect(await sights(owner, "hidden", "hidden@1.0.0")).toEqual(["plugin", "release"]);
  expect(await sights(reader, "hidden", "hidden@1.0.0")).toEqual(["nothing", "nothing"]);

  await replica.client.updatePlugin({ name: "open", visibility: Visibility.VISIBILITY_PRIVATE }, replica.as(owner));
  expect(await sights(reader, "open", "open@1.1.0")).toEqual(["nothing", "nothing"]);
});

it("keeps a quarantined release to those who deal with it", async () => {
  await publish("pump", "1.0.0");
  const decision = ReviewDecision.REVIEW_DECISION_QUARANTINE;
  await replica.client.reviewRelease({ name: "pump", version: "1.0.0", decision, reason: "bad" }, replica.as(admin));
  expect(await sights(reader, "pump", "pump@1.0.0")).toEqual(["plugin", "plugin"]);
  expect(await sights(owner, "pump", "pump@1.0.0")).toEqual(["plugin", "release"]);
});

it("shows a first release from the write on that tells of it, though the plugin does not follow it yet", async () => {
  const seen: string[] = [];
  // The event of that write may come to a reader before anything else happens here.
  world.hook = async ({ collection, moment, args }) => {
    const promotes = collection === "releases" && JSON.stringify(args).includes('"state":"published"');
    if (promotes && moment === "after") seen.push(...(await sights(anonymous, "fresh@1.0.0")));
  };
  await publish("fresh", "1.0.0");
  world.hook = undefined;
  expect(seen).toEqual(["release"]);
});

it("answers so much at once", async () => {
  const many = Array.from({ length: 501 }, () => "open");
  await expect(sights(reader, ...many)).rejects.toMatchObject({ reason: "TOO_MANY_ITEMS" });
});
