import { AuthServiceDefinition } from "@registry/contracts/auth";
import type { Caller } from "@registry/domain";
import { expect, it } from "vitest";
import { createCompany } from "./organisations/testing/company.ts";
import { failure } from "./testing/harness.ts";

const company = createCompany();

type Principal = { readonly $case: "userId"; value: number } | { readonly $case: "organisation"; value: string };

/** Who analytics is when it acts for somebody. */
async function acting(principal: Principal): Promise<Caller> {
  const { surroundings } = company.replica;
  const auth = surroundings.clients.forService("analytics").of(AuthServiceDefinition);
  const { internalToken } = await auth.issueActingToken({ principal }, { as: "service" });
  return (await surroundings.identity.resolve(`Bearer ${internalToken}`)).caller;
}

it("acts with the rights that a user has by now, and for nobody who has none", async () => {
  const [owner, member] = [await company.folk.person(), await company.folk.person()];
  const organisation = await company.founded("publisher", owner, member);
  const user: Principal = { $case: "userId", value: member.id };
  const memberships = [{ org: organisation, role: "publisher", teams: {} }];
  expect(await acting(user)).toMatchObject({ type: "user", id: member.id, username: member.username, memberships });

  await company.replica.organisations.removeMember({ organisation, username: member.username }, owner.as);
  await company.replica.surroundings.identity.epoch.refresh();
  expect(await acting(user)).toMatchObject({ id: member.id, memberships: [] });

  await company.replica.auth.updateUser({ username: member.username, disabled: true }, company.folk.admin);
  expect((await failure(acting(user))).reason).toBe("PRINCIPAL_NOT_FOUND");
  expect((await failure(acting({ $case: "userId", value: 0 }))).reason).toBe("PRINCIPAL_NOT_FOUND");
});

it("acts for an organisation as long as it stands, as a maintainer of its own and nobody else", async () => {
  const owner = await company.folk.person();
  const organisation = await company.founded("publisher", owner);
  const principal: Principal = { $case: "organisation", value: organisation };
  expect(await acting(principal)).toMatchObject({
    ...{ id: 0, role: "user", grants: [] },
    memberships: [{ org: organisation, role: "maintainer", teams: {} }],
  });
  await company.replica.organisations.deleteOrganisation({ name: organisation }, owner.as);
  expect((await failure(acting(principal))).reason).toBe("PRINCIPAL_NOT_FOUND");
});
