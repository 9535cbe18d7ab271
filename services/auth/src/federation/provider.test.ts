import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BuildSystem } from "../testing/build-system.ts";
import { failure, type Replica, startReplica } from "../testing/harness.ts";
import { createCompany, redirectUri } from "./testing/company.ts";

const company = createCompany();
const { settingsFor, begin } = company;

describe("an ID token from the provider's own endpoint", () => {
  let forger: BuildSystem;
  let its: Replica;
  beforeAll(async () => {
    forger = await BuildSystem.start();
    const config = { ...settingsFor(company.provider), OIDC_ISSUER: forger.issuer };
    its = await startReplica(company.store, { config });
  });
  afterAll(async () => {
    await its.close();
    await forger.close();
  });

  const finish = async (change: Record<string, unknown>, header: Record<string, unknown> = {}, access = {}) => {
    const { authorizationUrl, sealedState } = await begin("", its);
    const { state = "", nonce } = Object.fromEntries(new URL(authorizationUrl).searchParams);
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: forger.issuer,
      aud: company.provider.clientId,
      sub: "1",
      iat: now,
      exp: now + 60,
      nonce,
      ...change,
    };
    forger.tokens = { id_token: await forger.mint(claims, { header }), token_type: "Bearer", ...access };
    const callbackUrl = `${redirectUri}?${new URLSearchParams({ code: "code", state })}`;
    return its.federation.finishSignIn({ callbackUrl, sealedState });
  };

  it("holds where it is for this registry and this sign-in", async () => {
    expect((await finish({ preferred_username: "forged" })).user?.username).toBe("forged");
    expect(
      (await finish({ aud: [company.provider.clientId, "b"], azp: company.provider.clientId })).user?.username,
    ).toBe("forged");
  });

  it("is completed by the userinfo endpoint, unless that speaks of somebody else or not at all", async () => {
    const access = { access_token: "for userinfo" };
    forger.userinfo = { sub: "1", groups: ["registry-admins"], iss: "https://other.example" };
    expect((await finish({}, {}, access)).user).toMatchObject({ username: "forged", role: "admin" });
    forger.userinfo = { sub: "2", groups: ["registry-admins"] };
    expect((await failure(finish({}, {}, access))).kind).toBe("unauthenticated");
    forger.userinfo = { groups: ["registry-admins"] };
    expect((await failure(finish({}, {}, access))).kind).toBe("unauthenticated");
    // Who has no groups and of whom none were told are not the same.
    forger.userinfo = undefined;
    expect((await failure(finish({}, {}, access))).kind).toBe("unavailable");
    expect((await finish({ groups: [], email: "", preferred_username: "forged" }, {}, access)).user?.role).toBe("user");
  });

  it.each([
    ["another issuer's", { iss: "https://other.example" }, {}],
    ["another client's", { aud: "another client" }, {}],
    ["given to another client", { azp: "another client" }, {}],
    ["for several without saying who got it", { aud: ["registry of tests", "b"] }, {}],
    ["without nonce", { nonce: undefined }, {}],
    ["of another sign-in", { nonce: "other" }, {}],
    ["over", { exp: Math.floor(Date.now() / 1000) - 60 }, {}],
    ["without end", { exp: undefined }, {}],
    ["without age", { iat: undefined }, {}],
    ["of the future", { iat: Math.floor(Date.now() / 1000) + 3000 }, {}],
    ["nobody's", { sub: undefined }, {}],
    ["an access token", {}, { typ: "at+jwt" }],
    ["signed with an unknown key", {}, { kid: "unknown" }],
  ] as const)("is refused where it is %s", async (_what, change, header) => {
    const error = await failure(finish(change, header));
    expect([error.kind, error.message]).toEqual(["unauthenticated", "Invalid authentication"]);
  });
});

describe("a provider", () => {
  const away = async (its: Replica): Promise<void> => {
    const error = await failure(begin("", its));
    expect([error.kind, error.message]).toEqual([
      "unavailable",
      "The identity provider is away; try again in a few seconds",
    ]);
  };

  it("that is away is said to be, and everything else goes on", async () => {
    const gone = await BuildSystem.start();
    const config = { ...settingsFor(company.provider), OIDC_ISSUER: gone.issuer };
    await gone.close();
    const its = await startReplica(company.store, { config });
    await away(its);
    expect((await its.federation.getSignInOptions({})).oidc).toBe(true);
    await its.close();
  });

  it.each([
    ["names another issuer than itself", { issuer: "https://other.example" }],
    ["keeps its keys at an address that is not secure", { jwks_uri: "http://other.example/keys" }],
    ["has no page to sign in", { authorization_endpoint: undefined }],
    ["talks without end", { padding: "x".repeat(600 * 1024) }],
  ])("that %s is not followed", async (_what, discovery) => {
    const strange = await BuildSystem.start();
    strange.discovery = discovery;
    const its = await startReplica(company.store, {
      config: { ...settingsFor(company.provider), OIDC_ISSUER: strange.issuer },
    });
    await away(its);
    await its.close();
    await strange.close();
  });

  it.each(["silent", "elsewhere"] as const)("that is %s is not waited for long, nor followed", async (manner) => {
    const strange = await BuildSystem.start();
    strange.manner = manner;
    const its = await startReplica(company.store, {
      config: { ...settingsFor(company.provider), OIDC_ISSUER: strange.issuer },
    });
    await away(its);
    strange.manner = "plain";
    expect((await begin("", its)).authorizationUrl).toContain(`${strange.issuer}/authorize?`);
    await its.close();
    await strange.close();
  });

  it("that is not configured is not there", async () => {
    const bare = await startReplica(company.store);
    expect(await bare.federation.getSignInOptions({})).toEqual({
      oidc: false,
      oidcName: "",
      trustedIssuers: [],
      trustedAudience: "agenticraft-registry",
      registrationOpen: true,
    });
    expect((await failure(begin("", bare))).reason).toBe("OIDC_NOT_CONFIGURED");
    await bare.close();
  });
});
