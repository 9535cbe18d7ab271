import type { CallOptions } from "@registry/kit";
import { describe, expect, it } from "vitest";
import { bearer, failure, startReplica } from "../testing/harness.ts";
import { createWorkshop, repository } from "./testing/workshop.ts";

const workshop = createWorkshop();
const { nextName, create, workflow, exchange, refuses, callerOf } = workshop;

describe("a trusted publisher", () => {
  it.each([
    ["nothing", {}, "INVALID_CLAIMS", "1 to 10"],
    ["a name alone", { repository: "acme/tools" }, "UNSTABLE_CLAIMS", "add repository_id"],
    ["an owner's name", { repository_owner: "acme", ref: "x" }, "UNSTABLE_CLAIMS", "add repository_owner_id"],
    ["a project's path", { project_path: "acme/tools" }, "UNSTABLE_CLAIMS", "add project_id"],
    ["a subject made of names", { sub: "repo:acme/tools:ref:refs/heads/main" }, "UNSTABLE_CLAIMS", "repository_id"],
    ["a subject beside a name", { sub: "x", namespace_path: "acme" }, "UNSTABLE_CLAIMS", "add namespace_id"],
    ["whoever started it", { actor_id: "7" }, "UNSTABLE_CLAIMS", "repository_id"],
    ["what is checked anyway", { repository_id: "1", aud: "x" }, "INVALID_CLAIMS", "leave it out"],
    ["a strange name", { repository_id: "1", "Repo-Id": "x" }, "INVALID_CLAIMS", "a-z"],
    ["an empty value", { repository_id: "" }, "INVALID_CLAIMS", "1 to 500"],
    ["a long value", { repository_id: "1".repeat(501) }, "INVALID_CLAIMS", "1 to 500"],
    ["too much", Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`c${i}`, "x"])), "INVALID_CLAIMS", "1 to 10"],
  ])("is refused where it pins %s", async (_what, claims, reason, remedy) => {
    const error = await failure(create(nextName("tool"), workshop.ann, { claims }));
    expect([error.kind, error.reason]).toEqual(["invalid_argument", reason]);
    expect(error.message).toContain(remedy);
    expect(error.fields[0]?.pointer).toMatch(/^\/claims/);
  });

  it("may go by the subject where the issuer has no other id, and only there", async () => {
    const plugin = nextName("tool");
    await create(plugin, workshop.ann, { claims: { sub: "7f0d-service" } });
    const plain = { repository: undefined, repository_id: undefined, sub: "7f0d-service" };
    expect((await exchange(await workshop.builds.mint(workflow(plain)), plugin)).plugin).toBe(plugin);
    await refuses(await workshop.builds.mint(workflow({ ...plain, repository_id: "1" })), plugin);
    await refuses(await workshop.builds.mint(workflow({ ...plain, project_id: "1" })), plugin);
  });

  it("is for a plugin's name, an issuer of the operator's list, and a credential with all rights", async () => {
    expect((await failure(create("No Name"))).reason).toBe("INVALID_NAME");
    const other = await failure(create("tool", workshop.ann, { issuer: "https://other.example" }));
    expect([other.reason, other.message]).toEqual(["UNKNOWN_ISSUER", expect.stringContaining(workshop.builds.issuer)]);
    const bare = await startReplica(workshop.store);
    const off = bare.federation.createTrustedPublisher(
      { plugin: "a", issuer: "https://a", claims: repository },
      workshop.ann,
    );
    expect((await failure(off)).message).toContain("TRUSTED_ISSUERS");
    await bare.close();
    const scoped = await workshop.replica.auth.createApiToken({ name: "ci", scopes: ["publish"] }, workshop.ann);
    expect((await failure(create("tool", bearer(scoped.secret)))).kind).toBe("permission_denied");
    const anonymous = workshop.replica.federation.createTrustedPublisher({ plugin: "a", issuer: "b", claims: {} });
    expect((await failure(anonymous)).kind).toBe("unauthenticated");
  });

  it("is seen and deleted by who made it and by administrators, and is not there for others", async () => {
    const plugin = nextName("tool");
    const id = (await create(plugin)).publisher?.id ?? "";
    const seenBy = async (as: CallOptions) =>
      (await workshop.replica.federation.listTrustedPublishers({ plugin }, as)).publishers.map(
        (publisher) => publisher.id,
      );
    expect([await seenBy(workshop.ann), await seenBy(workshop.ben), await seenBy(workshop.admin)]).toEqual([
      [id],
      [],
      [id],
    ]);
    const mine = await workshop.replica.federation.listTrustedPublishers({}, workshop.ann);
    expect(mine.publishers.every(({ createdBy }) => createdBy === "ann")).toBe(true);
    const theirs = await failure(workshop.replica.federation.deleteTrustedPublisher({ id }, workshop.ben));
    const nothing = await failure(workshop.replica.federation.deleteTrustedPublisher({ id: "nothing" }, workshop.ben));
    expect([theirs.kind, theirs.message]).toEqual([nothing.kind, nothing.message]);
    await workshop.replica.federation.deleteTrustedPublisher({ id }, workshop.admin);
    expect(await seenBy(workshop.admin)).toEqual([]);
  });

  it("is one of fifty of a plugin, which nobody can use up for others", async () => {
    const plugin = nextName("tool");
    for (let i = 0; i < 50; i++) await create(plugin);
    expect((await failure(create(plugin))).reason).toBe("TOO_MANY_TRUSTED_PUBLISHERS");
    await exchange(await workshop.builds.mint(workflow()), plugin);
    expect((await create(plugin, workshop.ben)).publisher?.createdBy).toBe("ben");
    // Both trust the same workflow: what works is not taken over.
    const { token } = await exchange(await workshop.builds.mint(workflow()), plugin);
    expect(await callerOf(token)).toMatchObject({ username: "ann" });
  });
});
