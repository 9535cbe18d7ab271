import { ReleaseState, Visibility } from "@registry/contracts/catalog";
import type { Caller } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { anonymous, owner, type Replica, stranger, World } from "./testing/world.ts";

let world: World;
let replica: Replica;

beforeEach(async () => {
  world = await World.open();
  replica = await world.replica();
});
afterEach(() => world.close());

const publish = async (caller: Caller, name: string, more: object = {}) =>
  (
    await replica.client.publishRelease(
      { uploadId: world.upload(caller, { name, version: "1.0.0" }), ...more },
      replica.as(caller),
    )
  ).release;

async function downloads(plugin: string, total: number): Promise<void> {
  await world.count([{ plugin, downloads: total, versions: { "1.0.0": total } }]);
  const counted = async () =>
    (await replica.client.getPlugin({ name: plugin }, replica.as(owner))).details?.plugin?.downloads;
  await expect.poll(counted).toBe(total);
}

describe("a new name close to a much-used one", () => {
  it("waits for a reviewer, with the reason, unless it is the owner's own", async () => {
    await publish(owner, "weather-tool");
    expect((await publish(stranger, "weather-toll"))?.state).toBe(ReleaseState.RELEASE_STATE_PUBLISHED);
    await downloads("weather-tool", 50);
    const held = await publish(stranger, "weathr-tool");
    expect(held).toMatchObject({
      state: ReleaseState.RELEASE_STATE_STAGED,
      review: { reasons: [expect.stringContaining('"weather-tool"')] },
      findings: [{ rule: "name-near-miss", severity: "high", action: "hold", pointer: "/name" }],
    });
    expect(held?.checks.find(({ name }) => name === "name")?.result).toBe("CHECK_RESULT_FAILED");
    await expect(replica.client.getPlugin({ name: "weathr-tool" }, replica.as(anonymous))).rejects.toMatchObject({
      kind: "not_found",
    });
    expect((await publish(owner, "weather-tools"))?.state).toBe(ReleaseState.RELEASE_STATE_PUBLISHED);
  });

  it("does not tell of what is private, and names only what everybody sees", async () => {
    await publish(owner, "secret-tool", { visibility: Visibility.VISIBILITY_PRIVATE });
    await downloads("secret-tool", 60);
    expect((await publish(stranger, "secret-tol"))?.state).toBe(ReleaseState.RELEASE_STATE_PUBLISHED);
    await publish(owner, "inner-tool", { visibility: Visibility.VISIBILITY_INTERNAL });
    await downloads("inner-tool", 60);
    const held = await publish(stranger, "inner-tol");
    expect(held?.state).toBe(ReleaseState.RELEASE_STATE_STAGED);
    expect(JSON.stringify(held)).not.toContain("inner-tool");
  });

  it("is let through, or refused, where the policy says so", async () => {
    await publish(owner, "weather-tool");
    await downloads("weather-tool", 50);
    replica = await world.replica({ policy: { POLICY_RULES: "name-near-miss=ignore" } });
    expect((await publish(stranger, "weathr-tool"))?.state).toBe(ReleaseState.RELEASE_STATE_PUBLISHED);
    replica = await world.replica({ policy: { POLICY_RULES: "name-near-miss=refuse" } });
    await expect(publish(stranger, "weather-tol")).rejects.toMatchObject({ kind: "rejected", reason: "CHECKS_FAILED" });
    replica = await world.replica({ policy: { POLICY_POPULAR_DOWNLOADS: 51 } });
    expect((await publish(stranger, "waether-tool"))?.state).toBe(ReleaseState.RELEASE_STATE_PUBLISHED);
  });
});
