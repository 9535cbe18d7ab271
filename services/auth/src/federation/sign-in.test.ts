import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bearer, failure, openStore, startReplica } from "../testing/harness.ts";
import { startProvider } from "../testing/oidc-provider.ts";
import { createCompany } from "./testing/company.ts";

const company = createCompany();
const { settingsFor, signIn } = company;

describe("signing in with the company's provider", () => {
  it("makes a user of the first sign-in, whose token holds, and brings the browser back where it was", async () => {
    company.provider.accounts.set("s-ann", {
      preferred_username: "Ann",
      email: "ann@corp.example",
      email_verified: true,
    });
    const { user, token, returnTo } = await signIn("s-ann", company.replica, "/ui/?page=tokens#top");
    expect(user).toMatchObject({ username: "ann", email: "ann@corp.example", role: "user", disabled: false });
    expect(returnTo).toBe("/ui/?page=tokens#top");
    expect((await company.replica.auth.getMe({}, bearer(token))).user?.username).toBe("ann");
    expect((await failure(company.replica.auth.login({ username: "ann", password: "any" }))).kind).toBe(
      "unauthenticated",
    );
  });

  it("knows people again by issuer and subject, whatever else has changed", async () => {
    const before = (await signIn("s-ann")).user;
    company.provider.accounts.set("s-ann", {
      preferred_username: "anna",
      email: "anna@corp.example",
      email_verified: true,
    });
    const { user } = await signIn("s-ann");
    expect(user).toMatchObject({ id: before?.id, username: "ann", email: "anna@corp.example" });
  });

  it("is in the audit log with who came and what that changed", async () => {
    company.provider.accounts.set("s-noted", { preferred_username: "noted", groups: ["registry-admins"] });
    await signIn("s-noted");
    company.provider.accounts.set("s-noted", { preferred_username: "noted" });
    const { token } = await signIn("s-noted");
    const facts = { username: "noted", email: "", organisations: [], teams: [] };
    expect(company.replica.notes.slice(-2)).toEqual([
      { action: "signin.oidc", target: "noted", after: { ...facts, role: "admin" } },
      {
        action: "signin.oidc",
        target: "noted",
        before: { ...facts, role: "admin" },
        after: { ...facts, role: "user" },
      },
    ]);
    expect(JSON.stringify(company.replica.notes)).not.toContain(token);
  });

  it("gives nobody an account for an email or a name that is another's", async () => {
    const victim = { username: "victim", email: "victim@corp.example", password: "correct horse battery" };
    await company.replica.auth.register(victim);
    const like = { preferred_username: "victim", email: "Victim@corp.example", email_verified: true };
    company.provider.accounts.set("s-attacker", like);
    const { user, token } = await signIn("s-attacker");
    expect(user).toMatchObject({ username: "victim-2", email: "" });
    expect((await company.replica.auth.getMe({}, bearer(token))).user?.username).toBe("victim-2");
    company.provider.accounts.set("s-other", { ...like, email: "anna@corp.example" });
    expect((await signIn("s-other")).user).toMatchObject({ username: "victim-3", email: "" });
  });

  it("believes an email only where the provider vouches for it", async () => {
    company.provider.accounts.set("s-ben", {
      preferred_username: "ben",
      email: "boss@corp.example",
      email_verified: false,
    });
    expect((await signIn("s-ben")).user?.email).toBe("");
  });

  it.each([
    ["s-1", "jörg.müller@corp.example", "jorg.muller"],
    ["s-2", "admin", "admin-2"],
    ["s-3", "  <Dr. Who>  ", "dr.-who"],
    ["s-4", "\u5f20\u4f1f", "user"],
    ["s-5", "x".repeat(120), "x".repeat(39)],
    ["s-6", undefined, "user-2"],
  ])("makes a username that keeps the rule: %s %s", async (subject, name, username) => {
    company.provider.accounts.set(subject, { preferred_username: name });
    expect((await signIn(subject)).user?.username).toBe(username);
  });

  it("makes one user of two first sign-ins at once", async () => {
    company.provider.accounts.set("s-twin", { preferred_username: "twin" });
    const other = await startReplica(company.store, { config: settingsFor(company.provider) });
    const both = await Promise.all([signIn("s-twin"), signIn("s-twin", other)]);
    expect(new Set(both.map(({ user }) => user?.id)).size).toBe(1);
    await other.close();
  });

  it("turns away whom an administrator disabled", async () => {
    company.provider.accounts.set("s-gone", { preferred_username: "gone" });
    const { token } = await signIn("s-gone");
    await company.replica.auth.updateUser({ username: "gone", disabled: true }, company.admin);
    expect((await failure(company.replica.auth.getMe({}, bearer(token)))).kind).toBe("unauthenticated");
    expect((await failure(signIn("s-gone"))).message).toBe("Invalid authentication");
  });

  it.each([
    ["that says everything in its ID tokens", { wholeIdTokens: true }],
    ["that wants the client's secret in the form", { clientAuthentication: "client_secret_post" }],
  ] as const)("works with a provider %s", async (_what, options) => {
    const another = await startProvider(options);
    const its = await startReplica(company.store, { config: settingsFor(another) });
    another.accounts.set("s-ann", { preferred_username: "ann", groups: ["registry-admins"] });
    const { user } = await signIn("s-ann", its);
    expect(user).toMatchObject({ role: "admin" });
    expect(user?.username).toMatch(/^ann-\d$/);
    await its.close();
    await another.close();
  });
});

describe("the group that makes administrators", () => {
  const as = (groups: unknown) => {
    company.provider.accounts.set("s-chief", { preferred_username: "chief", groups });
    return signIn("s-chief");
  };

  it("gives the role, and takes it away at the next sign-in without it, from earlier tokens too", async () => {
    const { user, token } = await as(["staff", "registry-admins"]);
    expect(user?.role).toBe("admin");
    expect((await company.replica.auth.listUsers({}, bearer(token))).users.length).toBeGreaterThan(0);
    expect((await as(["staff"])).user?.role).toBe("user");
    expect((await failure(company.replica.auth.listUsers({}, bearer(token)))).kind).toBe("permission_denied");
  });

  it("takes groups that are not told for none", async () => {
    expect((await as(["registry-admins"])).user?.role).toBe("admin");
    expect((await as(undefined)).user?.role).toBe("user");
    expect((await as({ name: "registry-admins" })).user?.role).toBe("user");
    expect((await as([["registry-admins"], 1, null])).user?.role).toBe("user");
  });

  it("leaves what an administrator gave by hand, and goes back to the role from before", async () => {
    await company.replica.auth.updateUser({ username: "chief", role: "admin" }, company.admin);
    expect((await as([])).user?.role).toBe("admin");
    await company.replica.auth.updateUser({ username: "chief", role: "publisher" }, company.admin);
    expect((await as(["registry-admins"])).user?.role).toBe("admin");
    expect((await as([])).user?.role).toBe("publisher");
  });

  it("does not leave the registry without an administrator", async () => {
    const own = await openStore();
    const lonely = await startReplica(own, { config: settingsFor(company.provider) });
    const its = bearer((await readFile(join(own.folder, "admin-token"), "utf8")).trim());
    company.provider.accounts.set("s-last", { preferred_username: "last", groups: ["registry-admins"] });
    await signIn("s-last", lonely);
    await lonely.auth.updateUser({ username: "admin", disabled: true }, its);
    company.provider.accounts.set("s-last", { preferred_username: "last", groups: [] });
    expect((await signIn("s-last", lonely)).user?.role).toBe("admin");
    await lonely.close();
    await own.close();
  });
});
