import { describe, expect, it, vi } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import { leak, leakyZip, suspectSkill, suspectZip } from "../../builders/suspect.ts";
import type { Actor } from "../actors.ts";
import { seesNoRelease, seesNothingOf } from "../hidden.ts";
import { sha256 } from "../http.ts";
import { scrapeAll } from "../scrape.ts";
import { expectProblem, type Info, namesIn } from "../shapes.ts";
import { tracesOf } from "../traces.ts";
import { countedWithinMs, type World, withinMs } from "../world.ts";

interface Waiting {
  readonly reviews: { plugin: string; version: string; state: string; findings: object[]; review: object }[];
}

/** What is not as it should be is refused, or waits for a person; nobody else sees it meanwhile. */
export function reviewStories(world: World): void {
  const waitingFor = async (actor: Actor, name: string): Promise<Waiting["reviews"]> =>
    (await actor.asksWhatWaits()).json<Waiting>().reviews.filter(({ plugin }) => plugin === name);
  const published = async (stem: string, ...versions: string[]) => {
    const owner = await world.publisher("owner");
    const name = world.name(stem);
    for (const version of versions) expect((await owner.publishes(pluginZip({ name, version }))).status).toBe(201);
    return { owner, name };
  };

  describe("checking", () => {
    it("refuses a package with a critical finding, says where it is, and keeps nothing", async () => {
      const publisher = await world.publisher();
      const name = world.name("leaky");
      await world.soon(async () => expect((await publisher.gets("/api/v1/auth/me")).status).toBe(200));
      const before = await tracesOf(world);
      const answer = await publisher.publishes(leakyZip({ name }));
      expectProblem(answer, 422, "CHECKS_FAILED");
      expect(answer.json()).toMatchObject({
        errors: expect.arrayContaining([
          {
            pointer: `archive:${leak.file}`,
            reason: expect.stringMatching(new RegExp(`^secret-.*${leak.file}:${leak.line}`)),
          },
        ]),
      });
      expect(await tracesOf(world)).toEqual(before);
      expectProblem(await publisher.reads(name), 404, "PLUGIN_NOT_FOUND");
      expect((await publisher.publishes(pluginZip({ name }))).status).toBe(201);
    });
  });

  describe("reviewing", () => {
    it("shows what waits to its owner and to administrators, and what was released to everybody", async () => {
      const [owner, stranger] = [await world.publisher("owner"), await world.user("stranger")];
      const name = world.name("amulet");
      const zip = suspectZip({ name });
      const answer = await owner.publishes(zip);
      expect([answer.status, answer.json()]).toMatchObject([
        202,
        { success: true, plugin: name, state: "staged", sha256: sha256(zip), review: { state: "pending" } },
      ]);
      const { review, findings } = answer.json<{ review: { reasons: string[] }; findings: { action: string }[] }>();
      expect(review.reasons).toEqual(expect.arrayContaining([expect.stringContaining("SKILL.md")]));
      expect(findings.map(({ action }) => action)).toContain("hold");

      expect((await owner.reads(name)).json()).toMatchObject({
        name,
        versions: ["1.0.0"],
        releases: [{ version: "1.0.0", state: "staged", review: { state: "pending", reasons: review.reasons } }],
      });
      const path = `/api/v1/plugins/${name}/versions/1.0.0`;
      expect((await owner.gets(path)).json()).toMatchObject({ state: "staged", review: { reasons: review.reasons } });
      expect((await owner.gets(`${path}/checks`)).json()).toMatchObject({
        checks: expect.arrayContaining([expect.objectContaining({ name: "content", result: "failed" })]),
        review: { state: "pending" },
      });
      const own = await owner.fetches(name, "1.0.0");
      expect([own.status, sha256(own.bytes)]).toEqual([200, sha256(zip)]);
      expect(own.headers.get("cache-control")).toMatch(/^private/);

      for (const other of [stranger, world.anonymous, world.elsewhere(world.anonymous)]) {
        await seesNothingOf(world, other, name, "1.0.0");
      }
      expectProblem(await stranger.asksWhatWaits(), 403, "PERMISSION_DENIED", "Permission denied");
      expectProblem(await world.anonymous.asksWhatWaits(), 401, "INVALID_CREDENTIAL");
      expectProblem(await stranger.decides(name, "1.0.0", "release", "let me"), 404, "PLUGIN_NOT_FOUND");
      expectProblem(await owner.decides(name, "1.0.0", "release", "let me"), 403, "PERMISSION_DENIED");
      await world.soon(async () => {
        expect(await waitingFor(world.admin, name)).toMatchObject([
          { version: "1.0.0", state: "staged", review: { reasons: review.reasons } },
        ]);
      });

      const released = await world.admin.decides(name, "1.0.0", "release", "It is a joke");
      expect([released.status, released.json()]).toMatchObject([
        200,
        {
          plugin: name,
          state: "published",
          review: { state: "released", reason: "It is a joke", reviewed_by: "admin" },
        },
      ]);
      await world.soon(async () => {
        for (const other of [stranger, world.anonymous, world.elsewhere(world.anonymous)]) {
          expect((await other.reads(name)).json()).toMatchObject({ latest_version: "1.0.0", versions: ["1.0.0"] });
          expect(sha256((await other.fetches(name, "1.0.0")).bytes)).toBe(sha256(zip));
          expect(namesIn(await other.finds({ query: name, limit: "100" }))).toContain(name);
          expect(namesIn(await other.searches({ q: name, limit: "100" }))).toContain(name);
        }
        expect(await waitingFor(world.admin, name)).toEqual([]);
      });
    });

    it("burns name, version and bytes of what was rejected", async () => {
      const [owner, stranger] = [await world.publisher("owner"), await world.user("stranger")];
      const name = world.name("curse");
      const zip = suspectSkill(name);
      const as = (version: string) => owner.publishes(zip, { fields: { version } });
      expect((await as("1.0.0")).status).toBe(202);
      const rejected = await world.admin.decides(name, "1.0.0", "reject", "It steals keys");
      expect([rejected.status, rejected.json()]).toMatchObject([
        200,
        { state: "deleted", review: { state: "rejected", reason: "It steals keys" } },
      ]);
      await world.soon(async () => {
        expectProblem(await owner.reads(name, "1.0.0"), 410, "PLUGIN_DELETED");
        expectProblem(await owner.gets(`/api/v1/plugins/${name}/versions/1.0.0`), 410, "RELEASE_DELETED");
        expectProblem(await owner.fetches(name, "1.0.0"), 410, "RELEASE_DELETED");
        for (const other of [world.anonymous, stranger]) await seesNothingOf(world, other, name, "1.0.0");
        expect(await waitingFor(world.admin, name)).toEqual([]);
      });
      expectProblem(await as("1.0.0"), 409, "RELEASE_DELETED");
      expectProblem(await owner.publishes(pluginZip({ name })), 409, "RELEASE_DELETED");
      expectProblem(await as("1.0.1"), 409, "CONTENT_BURNT");
      expect((await owner.publishes(pluginZip({ name, version: "1.0.2" }))).status).toBe(201);
    });

    it("leaves what was published before as it is while a new version waits, and when that is rejected", async () => {
      const { owner, name } = await published("charm", "1.0.0");
      const held = await owner.publishes(suspectZip({ name, version: "2.0.0" }), { fields: { channel: "beta" } });
      expect(held.status).toBe(202);
      expect((await owner.reads(name)).json()).toMatchObject({ latest_version: "1.0.0", versions: ["2.0.0", "1.0.0"] });
      await world.soon(async () => {
        await seesNoRelease(world, world.anonymous, name, "2.0.0");
        expect((await world.anonymous.reads(name, "*")).json()).toMatchObject({ version: "1.0.0" });
      });
      expectProblem(await owner.publishes(pluginZip({ name, version: "2.0.0" })), 409, "RELEASE_IN_REVIEW");
      expect((await world.admin.decides(name, "2.0.0", "reject", "no")).status).toBe(200);
      await world.soon(async () => {
        expectProblem(await owner.reads(name, "2.0.0"), 410, "RELEASE_DELETED");
        await seesNoRelease(world, world.anonymous, name, "2.0.0");
        expect((await world.anonymous.fetches(name, "1.0.0")).status).toBe(200);
      });
    });

    it("takes a published release out of sight, and brings it back", async () => {
      const { owner, name } = await published("idol", "1.0.0", "1.1.0");
      await world.soon(async () => {
        for (const gate of [world.anonymous, world.elsewhere(world.anonymous)]) {
          expect((await gate.reads(name)).json()).toMatchObject({ version: "1.1.0" });
          expect((await gate.fetches(name, "1.1.0")).status).toBe(200);
        }
      });
      expectProblem(await owner.decides(name, "1.1.0", "quarantine", "mine"), 403, "PERMISSION_DENIED");
      const answer = await world.admin.decides(name, "1.1.0", "quarantine", "Somebody reported it");
      expect([answer.status, answer.json()]).toMatchObject([
        200,
        { state: "quarantined", reason: "Somebody reported it" },
      ]);
      await world.soon(async () => {
        for (const gate of [world.anonymous, world.elsewhere(world.anonymous)]) {
          await seesNoRelease(world, gate, name, "1.1.0");
          expect((await gate.reads(name)).json()).toMatchObject({ version: "1.0.0", latest_version: "1.0.0" });
        }
        for (const insider of [owner, world.admin]) {
          expect((await insider.reads(name, "1.1.0")).json<Info>().releases).toContainEqual(
            expect.objectContaining({ version: "1.1.0", state: "quarantined", reason: "Somebody reported it" }),
          );
          expect((await insider.fetches(name, "1.1.0")).status).toBe(200);
        }
      });
      expect((await world.admin.decides(name, "1.1.0", "approve", "It is fine")).json()).toMatchObject({
        state: "published",
      });
      await world.soon(async () => {
        for (const gate of [world.anonymous, world.elsewhere(world.anonymous)]) {
          expect((await gate.reads(name)).json()).toMatchObject({ version: "1.1.0", latest_version: "1.1.0" });
          expect((await gate.fetches(name, "1.1.0")).status).toBe(200);
        }
      });
    });

    it("hides a plugin whose only release is quarantined, from analytics, too", async () => {
      const { owner, name } = await published("fetish", "1.0.0");
      await vi.waitFor(
        async () => {
          expect((await owner.fetches(name, "1.0.0")).status).toBe(200);
          expect(await scrapeAll(world.stack)).toContain(name);
        },
        { timeout: countedWithinMs, interval: 1000 },
      );
      expect((await world.admin.decides(name, "1.0.0", "quarantine", "Reported")).status).toBe(200);
      await vi.waitFor(() => seesNothingOf(world, world.anonymous, name, "1.0.0"), {
        timeout: countedWithinMs,
        interval: 500,
      });
      expect((await owner.reads(name)).json()).toMatchObject({ releases: [{ state: "quarantined" }] });
    });

    it("is for those with the right to review, too, but not of their own releases", async () => {
      const [owner, reviewer] = [await world.publisher("owner"), await world.publisher("reviewer")];
      const names = [world.name("relic"), world.name("rune")] as const;
      expect((await owner.publishes(suspectZip({ name: names[0] }))).status).toBe(202);
      expect((await reviewer.publishes(suspectZip({ name: names[1] }))).status).toBe(202);
      expectProblem(await reviewer.asksWhatWaits(), 403, "PERMISSION_DENIED");
      expect((await world.admin.changesUser(reviewer.username, { grants: ["review"] })).status).toBe(200);
      await vi.waitFor(
        async () => {
          expect(await waitingFor(reviewer, names[0])).toMatchObject([{ state: "staged" }]);
          expect((await reviewer.reads(names[0], "1.0.0")).json()).toMatchObject({ name: names[0] });
        },
        { timeout: withinMs, interval: 100 },
      );
      const own = await reviewer.decides(names[1], "1.0.0", "release", "I trust myself");
      expectProblem(own, 403, "OWN_RELEASE");
      expect((await reviewer.decides(names[0], "1.0.0", "release", "I looked")).json()).toMatchObject({
        state: "published",
        review: { reviewed_by: reviewer.username },
      });
      await world.soon(async () => {
        expect((await world.anonymous.reads(names[0])).status).toBe(200);
        expect((await world.anonymous.reads(names[1])).status).toBe(404);
      });
      expect((await world.admin.decides(names[1], "1.0.0", "release", "I looked")).status).toBe(200);
      expectProblem(await world.admin.decides(names[1], "1.0.0", "reject", "late"), 409, "INVALID_STATE");
      expectProblem(await world.admin.decides(names[1], "9.0.0", "release", "what"), 404, "VERSION_NOT_FOUND");
      expectProblem(await world.admin.decides(names[1], "1.0.0", "maybe", "what"), 400, "INVALID_BODY");
    });
  });
}
