import { ReleaseState, ReleaseView } from "@registry/contracts/catalog";
import { type RunPackageTestsResponse, TestsResult } from "@registry/contracts/storage";
import { type Caller, unavailable } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { admin, anonymous, owner, type Package, type Replica, World } from "./testing/world.ts";

let world: World;
let replica: Replica;

beforeEach(async () => {
  world = await World.open();
  replica = await world.replica();
});
afterEach(() => world.close());

const tested: Package = { name: "one", version: "1.0.0", more: { needsTests: true } };

function publish(pack: Package = tested) {
  return replica.client.publishRelease({ uploadId: world.upload(owner, pack) }, replica.as(owner));
}
const release = (caller: Caller) =>
  replica.client
    .getRelease({ name: "one", version: "1.0.0", view: ReleaseView.RELEASE_VIEW_FULL }, replica.as(caller))
    .then((answer) => answer.release);
const testsOf = async () => (await release(owner))?.checks.find(({ name }) => name === "tests");
const answer = (result: TestsResult): Partial<RunPackageTestsResponse> => ({ result, summary: "3 tests", log: "..." });
const { TESTS_RESULT_PASSED, TESTS_RESULT_FAILED, TESTS_RESULT_ERROR } = TestsResult;

describe("a package whose own tests are to be run", () => {
  it("is staged until they have passed, and keeps what they said", async () => {
    const run = Promise.withResolvers<Partial<RunPackageTestsResponse>>();
    world.storage.tests = () => run.promise;
    const { created, release: staged } = await publish();
    expect({ created, state: staged?.state }).toEqual({ created: true, state: ReleaseState.RELEASE_STATE_STAGED });
    await expect(release(anonymous)).rejects.toMatchObject({ kind: "not_found" });
    expect(await testsOf()).toMatchObject({ result: "CHECK_RESULT_UNSPECIFIED" });
    run.resolve(answer(TESTS_RESULT_PASSED));
    await expect
      .poll(() => release(anonymous).catch(() => undefined))
      .toMatchObject({
        state: ReleaseState.RELEASE_STATE_PUBLISHED,
      });
    expect(await testsOf()).toMatchObject({ result: "CHECK_RESULT_PASSED", summary: "3 tests", log: "..." });
  });

  it("stays hidden where they fail, and may be mended under the same version", async () => {
    world.storage.tests = async () => answer(TESTS_RESULT_FAILED);
    await publish();
    await expect.poll(testsOf).toMatchObject({ result: "CHECK_RESULT_FAILED", log: "..." });
    await expect(release(anonymous)).rejects.toMatchObject({ kind: "not_found" });
    expect((await replica.client.listReviews({}, replica.as(admin))).releases).toEqual([]);
    world.storage.tests = async () => answer(TESTS_RESULT_PASSED);
    await publish({ ...tested, content: "mended" });
    await expect
      .poll(() => release(anonymous).catch(() => undefined))
      .toMatchObject({
        state: ReleaseState.RELEASE_STATE_PUBLISHED,
      });
  });

  it("goes to a reviewer where they cannot be run, after some tries", async () => {
    let runs = 0;
    world.storage.tests = async () => {
      runs += 1;
      if (runs === 1) throw unavailable("Storage");
      return answer(TESTS_RESULT_ERROR);
    };
    await publish();
    const waits = async () => {
      world.clock.advance(60_000);
      return (await replica.client.listReviews({}, replica.as(admin))).releases.map(({ review }) => review?.reasons);
    };
    await expect.poll(waits, { timeout: 30_000, interval: 200 }).toEqual([["tests: 3 tests"]]);
    expect(runs).toBe(3);
    expect(await testsOf()).toMatchObject({ result: "CHECK_RESULT_ERROR" });
    await expect(release(anonymous)).rejects.toMatchObject({ kind: "not_found" });
  });

  it("goes to a reviewer where whoever ran them never lived to tell", async () => {
    let runs = 0;
    world.storage.tests = async () => {
      runs += 1;
      return answer(TESTS_RESULT_ERROR);
    };
    // What comes of a run is never written, as if the process had ended with it.
    let lost = 0;
    world.hook = async ({ collection, method, moment, args }) => {
      const set = (args[1] as { $set?: { testRuns?: number; waitingSince?: Date } } | undefined)?.$set;
      const settles = set?.waitingSince !== undefined && set.testRuns === undefined && runs > lost;
      if (collection !== "releases" || method !== "updateOne" || moment !== "before" || !settles) return;
      lost += 1;
      throw unavailable("The store");
    };
    await publish();
    const waits = async () => {
      world.clock.advance(30 * 60_000);
      return (await replica.client.listReviews({}, replica.as(admin))).releases.length;
    };
    await expect.poll(waits, { timeout: 40_000, interval: 200 }).toBe(1);
    expect(runs).toBe(3);
  }, 60_000);

  it("asks a reviewer as well where the policy holds it", async () => {
    world.storage.tests = async () => answer(TESTS_RESULT_PASSED);
    const findings = [{ rule: "odd", severity: "high", message: "Odd", file: "", line: 0, pointer: "" }];
    await publish({ ...tested, more: { needsTests: true, findings } });
    const reviews = () => replica.client.listReviews({}, replica.as(admin)).then(({ releases }) => releases.length);
    await expect.poll(reviews).toBe(1);
    expect(await testsOf()).toMatchObject({ result: "CHECK_RESULT_PASSED" });
    await expect(release(anonymous)).rejects.toMatchObject({ kind: "not_found" });
  });

  it("is tested by one replica at a time", async () => {
    let runs = 0;
    world.storage.tests = async () => {
      runs += 1;
      return answer(TESTS_RESULT_PASSED);
    };
    const others = [await world.replica(), await world.replica()];
    await publish();
    await expect.poll(() => release(anonymous).catch(() => undefined)).toBeDefined();
    expect(runs).toBe(1);
    expect(others).toHaveLength(2);
  });
});
