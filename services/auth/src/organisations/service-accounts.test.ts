import { describe, expect, it } from "vitest";
import { bearer, failure, startReplica } from "../testing/harness.ts";
import { createCompany } from "./testing/company.ts";

const company = createCompany();

describe("a service account", () => {
  it("works by its tokens for one organisation alone, logs in nowhere, and ends whole", async () => {
    const [owner, stranger] = [await company.folk.person(), await company.folk.person()];
    const [organisation, foreign] = [
      await company.founded("publisher", owner),
      await company.founded("publisher", stranger),
    ];
    const { organisations, auth } = company.replica;
    const username = company.folk.name("robot");
    const { user, member } = await organisations.createServiceAccount({ organisation, username }, owner.as);
    expect(user).toMatchObject({ username, email: "", role: "user", serviceAccount: true, organisation });
    expect(member).toMatchObject({ username, role: "publisher", serviceAccount: true });
    expect((await failure(auth.login({ username, password: "any password" }))).kind).toBe("unauthenticated");

    for (const [change, field] of [
      [{ role: "admin" }, "role"],
      [{ password: "a long password" }, "password"],
      [{ email: "robot@example.org" }, "email"],
    ] as const) {
      const error = await failure(auth.updateUser({ username, ...change }, company.folk.admin));
      expect([error.reason, error.fields[0]?.pointer]).toEqual(["SERVICE_ACCOUNT", `/${field}`]);
    }
    const owning = organisations.setMember({ organisation, username, role: "owner" }, owner.as);
    expect((await failure(owning)).reason).toBe("INVALID_ROLE");
    const elsewhere = organisations.setMember({ organisation: foreign, username, role: "reader" }, stranger.as);
    expect((await failure(elsewhere)).reason).toBe("UNKNOWN_USER");
    const removing = organisations.removeMember({ organisation, username }, owner.as);
    expect((await failure(removing)).reason).toBe("SERVICE_ACCOUNT");
    const role = { organisation, username, role: "maintainer" };
    expect((await organisations.setMember(role, owner.as)).member?.role).toBe("maintainer");

    await organisations.deleteServiceAccount({ organisation, username }, owner.as);
    await organisations.deleteServiceAccount({ organisation, username }, owner.as);
    expect((await auth.getUser({ username }, company.folk.admin)).user).toMatchObject({
      disabled: true,
      memberships: [],
    });
    const revived = auth.updateUser({ username, disabled: false }, company.folk.admin);
    expect((await failure(revived)).reason).toBe("SERVICE_ACCOUNT");
    const again = organisations.createServiceAccount({ organisation, username }, owner.as);
    expect((await failure(again)).reason).toBe("USERNAME_TAKEN");
    const person = organisations.deleteServiceAccount({ organisation, username: owner.username }, owner.as);
    expect((await failure(person)).reason).toBe("SERVICE_ACCOUNT_NOT_FOUND");
  });

  it("makes no organisation and loses its tokens with it", async () => {
    const owner = await company.folk.person();
    const organisation = await company.founded("publisher", owner);
    const username = company.folk.name("robot");
    const { user } = await company.replica.organisations.createServiceAccount({ organisation, username }, owner.as);
    const open = await startReplica(company.store, { config: { ORGANISATION_CREATION: "users" } });
    const robot = open.surroundings.as({ type: "user", id: user?.id ?? 0, username, role: "user", grants: [] });
    const { secret } = await open.auth.createApiToken({ name: "ci" }, robot);
    const created = open.organisations.createOrganisation({ name: company.folk.name() }, bearer(secret));
    expect((await failure(created)).reason).toBe("ORGANISATION_CREATION_DENIED");
    expect(
      (await open.organisations.getOrganisation({ name: organisation }, bearer(secret))).organisation?.ownRole,
    ).toBe("publisher");
    await open.organisations.deleteServiceAccount({ organisation, username }, owner.as);
    expect((await failure(open.auth.getMe({}, bearer(secret)))).kind).toBe("unauthenticated");
    const tokens = await company.store.documents.collection<{ _id: string }>({ name: "tokens", indexes: [] });
    expect(await tokens.countDocuments({ userId: user?.id ?? 0 })).toBe(0);
    await open.close();
  });
});
