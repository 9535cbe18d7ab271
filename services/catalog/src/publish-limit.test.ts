import { isRegistryError } from "@registry/domain";
import { afterEach, beforeEach, expect, it } from "vitest";
import { owner, type Replica, stranger, World } from "./testing/world.ts";

let world: World;
let replicas: Replica[];
const perHour = 5;

beforeEach(async () => {
  world = await World.open();
  replicas = [await world.replica({ publishesPerHour: perHour }), await world.replica({ publishesPerHour: perHour })];
  // All of a story lies within one hour of the clock.
  const hour = 3_600_000;
  world.clock.advance(hour - (world.clock.now().getTime() % hour));
});
afterEach(() => world.close());

/** @returns what became of it: `published`, or why not */
async function publish(index: number, caller = owner, dryRun = false): Promise<string> {
  const replica = replicas[index % replicas.length] as Replica;
  const uploadId = world.upload(caller, { name: "racer", version: `1.0.${index}` });
  const outcome = replica.client.publishRelease({ uploadId, dryRun }, replica.as(caller));
  return outcome.then(
    () => "published",
    (error: unknown) => (isRegistryError(error) ? error.reason : String(error)),
  );
}

it("takes exactly as many publishes of a user in an hour, however many replicas they come through at once", async () => {
  expect(await publish(0)).toBe("published");
  const outcomes = await Promise.all(Array.from({ length: 8 }, (_, index) => publish(index + 1)));
  expect(outcomes.filter((outcome) => outcome === "published")).toHaveLength(perHour - 1);
  expect(outcomes.filter((outcome) => outcome === "RATE_LIMITED")).toHaveLength(4);
  // Storage keeps what was published; what was refused is dropped.
  expect(world.storage.uploads.size).toBe(perHour);
});

it("says when to come again, counts dry runs and the same bytes, and nobody else's", async () => {
  for (const [index, dry] of [true, false, false, true, false].entries()) {
    expect(await publish(Math.min(index, 1), owner, dry)).toBe("published");
  }
  const [replica] = replicas as [Replica];
  const uploadId = world.upload(owner, { name: "racer", version: "9.0.0" });
  await expect(replica.client.publishRelease({ uploadId }, replica.as(owner))).rejects.toMatchObject({
    kind: "rate_limited",
    retryAfterSeconds: expect.toSatisfy((seconds: number) => seconds > 3500 && seconds <= 3600),
  });
  expect(await publish(3, stranger)).not.toBe("RATE_LIMITED");
  world.clock.advance(3_600_000);
  expect(await publish(4)).toBe("published");
});
