import type { CallOptions } from "@registry/kit";
import { beforeAll, describe, expect, it } from "vitest";
import { bearer, failure } from "../testing/harness.ts";
import { createWorkshop, repository } from "./testing/workshop.ts";

const workshop = createWorkshop();
const { newUser, nextName, create, workflow, exchange, refuses, callerOf } = workshop;

describe("a workflow that a stranger trusts, too", () => {
  it("says for whom it publishes, or publishes nothing", async () => {
    const plugin = nextName("tool");
    await create(plugin, workshop.ben);
    await create(plugin, workshop.ann);
    const idToken = await workshop.builds.mint(workflow());
    const error = await failure(exchange(idToken, plugin));
    expect([error.kind, error.reason, error.fields[0]?.pointer]).toEqual([
      "conflict",
      "AMBIGUOUS_PUBLISHER",
      "/publishes_as",
    ]);
    const { federation } = workshop.replica;
    const answer = await federation.exchangeIdToken({ idToken, plugin, publishesAs: "Ann" });
    expect(answer.publishesAs).toBe("ann");
    expect(await callerOf(answer.token)).toMatchObject({ username: "ann" });
  });

  it("is not waylaid in a namespace that the stranger does not publish to", async () => {
    const { organisations, federation } = workshop.replica;
    const namespace = nextName("waylaid");
    await organisations.createOrganisation({ name: namespace }, workshop.ann);
    const plugin = `@${namespace}/tool`;
    await create(plugin, workshop.ben);
    await refuses(await workshop.builds.mint(workflow()), plugin);
    await organisations.setMember({ organisation: namespace, username: "ben", role: "reader" }, workshop.ann);
    await refuses(await workshop.builds.mint(workflow()), plugin);
    await create(plugin, workshop.ann);
    const idToken = await workshop.builds.mint(workflow());
    expect((await federation.exchangeIdToken({ idToken, plugin })).publishesAs).toBe("ann");
  });
});

describe("a workflow that is trusted", () => {
  it("gets a token for its one plugin, in the name of who configured it, for fifteen minutes", async () => {
    const plugin = nextName("tool");
    const { publisher } = await create(plugin);
    expect(publisher).toMatchObject({ plugin, publishesAs: "ann", createdBy: "ann", claims: repository });
    const { token, expiresAt } = await exchange(await workshop.builds.mint(workflow()), plugin);
    expect(token).toMatch(/^acp_[\w-]{43}[0-9A-Za-z]{6}$/);
    expect(await callerOf(token)).toMatchObject({
      username: "ann",
      role: "publisher",
      scopes: [`publish:${plugin}`, `read:${plugin}`],
    });
    expect((expiresAt?.getTime() ?? 0) - workshop.replica.surroundings.clock.now().getTime()).toBeLessThanOrEqual(
      15 * 60_000,
    );
    const { publishers } = await workshop.replica.federation.listTrustedPublishers({ plugin }, workshop.ann);
    expect(publishers).toMatchObject([{ id: publisher?.id, lastUsedAt: expect.any(Date) }]);

    workshop.replica.surroundings.clock.advance(15 * 60_000 - 5000);
    expect(await callerOf(token)).toMatchObject({ username: "ann" });
    workshop.replica.surroundings.clock.advance(6000);
    await expect(callerOf(token)).rejects.toMatchObject({ kind: "unauthenticated" });
  });

  it("takes namespaces and claims that are numbers", async () => {
    const plugin = `@ann/${nextName("tool")}`;
    await create(plugin, workshop.ann, { claims: { repository_id: "4711", run_attempt: "1" } });
    const { token } = await exchange(
      await workshop.builds.mint(workflow({ repository_id: 4711, run_attempt: 1 })),
      plugin,
    );
    expect(await callerOf(token)).toMatchObject({ scopes: [`publish:${plugin}`, `read:${plugin}`] });
  });

  it("is not known by a number that is too large to be exact", async () => {
    const plugin = nextName("tool");
    const id = 2 ** 53;
    await create(plugin, workshop.ann, { claims: { repository_id: String(id) } });
    await refuses(await workshop.builds.mint(workflow({ repository_id: id })), plugin);
    expect((await exchange(await workshop.builds.mint(workflow({ repository_id: String(id) })), plugin)).plugin).toBe(
      plugin,
    );
  });

  it("has a token that can make no other, nor trust another workflow", async () => {
    const plugin = nextName("tool");
    await create(plugin);
    const own = bearer((await exchange(await workshop.builds.mint(workflow()), plugin)).token);
    const wider = workshop.replica.auth.createApiToken({ name: "wider" }, own);
    expect((await failure(wider)).kind).toBe("permission_denied");
    expect((await failure(create(nextName("tool"), own))).kind).toBe("permission_denied");
    expect((await failure(workshop.replica.federation.listTrustedPublishers({}, own))).kind).toBe("permission_denied");
  });

  it("leaves its tokens out of every list and count of its user's", async () => {
    const carl = await newUser("carl");
    const plugin = nextName("tool");
    await create(plugin, carl);
    await exchange(await workshop.builds.mint(workflow()), plugin);
    expect((await workshop.replica.auth.listApiTokens({}, carl)).tokens).toEqual([]);
    for (let i = 0; i < 100; i++) await workshop.replica.auth.createApiToken({ name: `t${i}` }, carl);
    await exchange(await workshop.builds.mint(workflow()), plugin);
    expect((await failure(workshop.replica.auth.createApiToken({ name: "one more" }, carl))).reason).toBe(
      "TOO_MANY_TOKENS",
    );
    expect((await workshop.replica.auth.listApiTokens({}, carl)).tokens).toHaveLength(100);
  });

  it("is in the audit log with what made it trusted, and without a secret", async () => {
    const plugin = nextName("tool");
    const { publisher } = await create(plugin);
    const idToken = await workshop.builds.mint(workflow());
    const { token } = await exchange(idToken, plugin);
    await refuses(idToken, plugin);
    await workshop.replica.federation.deleteTrustedPublisher({ id: publisher?.id ?? "" }, workshop.ann);
    const facts = {
      id: publisher?.id,
      plugin,
      issuer: workshop.builds.issuer,
      claims: repository,
      publishes_as: "ann",
    };
    const { id, plugin: _, ...matched } = facts;
    expect(workshop.replica.notes.slice(-4)).toEqual([
      { action: "trusted_publisher.create", target: plugin, after: facts },
      {
        action: "trusted_publisher.exchange",
        target: plugin,
        after: { ...matched, publisher: id, token_id: expect.any(String) },
      },
      { action: "trusted_publisher.exchange", target: plugin },
      { action: "trusted_publisher.delete", target: plugin, before: facts },
    ]);
    const told = JSON.stringify(workshop.replica.notes);
    expect(told).not.toContain(token);
    expect(told).not.toContain(idToken.split(".")[2]);
  });

  it("loses its token together with the trust, and with its user", async () => {
    const dora = await newUser("dora");
    const [first, second] = [nextName("tool"), nextName("tool")];
    const { publisher } = await create(first, dora);
    await create(second, dora);
    const one = (await exchange(await workshop.builds.mint(workflow()), first)).token;
    const two = (await exchange(await workshop.builds.mint(workflow()), second)).token;
    await workshop.replica.federation.deleteTrustedPublisher({ id: publisher?.id ?? "" }, dora);
    await expect(callerOf(one)).rejects.toMatchObject({ kind: "unauthenticated" });
    await refuses(await workshop.builds.mint(workflow()), first);
    expect(await callerOf(two)).toMatchObject({ username: "dora" });

    await workshop.replica.auth.updateUser({ username: "dora", disabled: true }, workshop.admin);
    await expect(callerOf(two)).rejects.toMatchObject({ kind: "unauthenticated" });
    await refuses(await workshop.builds.mint(workflow()), second);
  });
});

describe("publishing as a service account", () => {
  let owner: CallOptions;
  let maintainer: CallOptions;

  beforeAll(async () => {
    owner = await newUser("owner");
    maintainer = await newUser("maintainer");
    const { organisations } = workshop.replica;
    for (const name of ["acme", "other"]) {
      const account = { organisation: name, username: `${name}-robot`, role: "publisher" };
      await organisations.createOrganisation({ name }, name === "acme" ? owner : workshop.ben);
      await organisations.createServiceAccount(account, name === "acme" ? owner : workshop.ben);
    }
    await organisations.setMember({ organisation: "acme", username: "maintainer", role: "maintainer" }, owner);
  });

  const as = (caller: CallOptions, publishesAs: string, plugin = "@acme/tool") =>
    create(plugin, caller, { publishesAs });

  it("is for owners of the plugin's organisation, and for administrators", async () => {
    for (const caller of [owner, workshop.admin]) {
      expect((await as(caller, "acme-robot")).publisher?.publishesAs).toBe("acme-robot");
    }
    const refusals = [
      as(maintainer, "acme-robot"),
      as(workshop.ann, "acme-robot"),
      as(owner, "other-robot"),
      as(owner, "ann"),
      as(owner, "nobody-at-all"),
      as(owner, "acme-robot", "@other/tool"),
      as(owner, "acme-robot", "tool"),
    ];
    const errors = await Promise.all(refusals.map(failure));
    expect(new Set(errors.map(({ kind, message }) => `${kind} ${message}`)).size).toBe(1);
    expect(errors[0]).toMatchObject({ kind: "not_found", reason: "SERVICE_ACCOUNT_NOT_FOUND" });
  });

  it("gives the workflow that account's rights, and owners of the organisation see it", async () => {
    const { token } = await exchange(await workshop.builds.mint(workflow()), "@acme/tool");
    expect(await callerOf(token)).toMatchObject({
      username: "acme-robot",
      scopes: ["publish:@acme/tool", "read:@acme/tool"],
    });
    const seenBy = async (caller: CallOptions) =>
      (await workshop.replica.federation.listTrustedPublishers({ plugin: "@acme/tool" }, caller)).publishers.length;
    expect([await seenBy(owner), await seenBy(maintainer), await seenBy(workshop.ann)]).toEqual([2, 0, 0]);
    const all = await workshop.replica.federation.listTrustedPublishers({}, owner);
    expect(all.publishers.filter(({ createdBy }) => createdBy === "admin")).toHaveLength(1);
  });

  it("ends with the account", async () => {
    const { token } = await exchange(await workshop.builds.mint(workflow()), "@acme/tool");
    await workshop.replica.organisations.deleteServiceAccount({ organisation: "acme", username: "acme-robot" }, owner);
    await expect(callerOf(token)).rejects.toMatchObject({ kind: "unauthenticated" });
    await refuses(await workshop.builds.mint(workflow()), "@acme/tool");
    expect((await failure(as(owner, "acme-robot"))).reason).toBe("SERVICE_ACCOUNT_NOT_FOUND");
  });
});

it("has a policy for each RPC of the contract, and an audit row for each change", () => {
  const rows =
    workshop.replica.service.tables.find(({ definition }) => definition.name === "FederationService")?.rows ?? {};
  const audited = Object.keys(rows).filter((name) => rows[name]?.audit !== undefined);
  expect(audited.sort()).toEqual([
    "createTrustedPublisher",
    "deleteTrustedPublisher",
    "exchangeIdToken",
    "finishSignIn",
  ]);
});
