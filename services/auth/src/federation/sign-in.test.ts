import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BuildSystem } from "../testing/build-system.ts";
import { bearer, failure, openStore, type Replica, type Store, startReplica } from "../testing/harness.ts";
import { startProvider, type TestProvider, visitProvider } from "../testing/oidc-provider.ts";

const redirectUri = "http://127.0.0.1:8080/api/v1/auth/oidc/callback";

let store: Store;
let provider: TestProvider;
let replica: Replica;
let admin: ReturnType<typeof bearer>;

const settingsFor = ({ issuer, clientId, clientSecret }: TestProvider) => ({
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: clientId,
  OIDC_CLIENT_SECRET: clientSecret,
  OIDC_SCOPES: "openid profile email groups",
  OIDC_ADMIN_GROUP: "registry-admins",
});

beforeAll(async () => {
  store = await openStore();
  provider = await startProvider();
  replica = await startReplica(store, { config: settingsFor(provider) });
  admin = bearer((await readFile(join(store.folder, "admin-token"), "utf8")).trim());
});
afterAll(async () => {
  await replica.close();
  await provider.close();
  await store.close();
});

const begin = (returnTo = "", { federation } = replica) => federation.beginSignIn({ redirectUri, returnTo });

/** A whole sign-in, as a browser goes through it. */
async function signIn(login: string, { federation } = replica, returnTo = "") {
  const { authorizationUrl, sealedState } = await begin(returnTo, { ...replica, federation });
  const callbackUrl = await visitProvider(authorizationUrl, login);
  return federation.finishSignIn({ callbackUrl, sealedState });
}

async function refused(callbackUrl: string, sealedState: string): Promise<void> {
  const error = await failure(replica.federation.finishSignIn({ callbackUrl, sealedState }));
  expect([error.kind, error.message]).toEqual(["unauthenticated", "Invalid authentication"]);
}

describe("signing in with the company's provider", () => {
  it("makes a user of the first sign-in, whose token holds, and brings the browser back where it was", async () => {
    provider.accounts.set("s-ann", { preferred_username: "Ann", email: "ann@corp.example", email_verified: true });
    const { user, token, returnTo } = await signIn("s-ann", replica, "/ui/?page=tokens#top");
    expect(user).toMatchObject({ username: "ann", email: "ann@corp.example", role: "user", disabled: false });
    expect(returnTo).toBe("/ui/?page=tokens#top");
    expect((await replica.auth.getMe({}, bearer(token))).user?.username).toBe("ann");
    expect((await failure(replica.auth.login({ username: "ann", password: "any" }))).kind).toBe("unauthenticated");
  });

  it("knows people again by issuer and subject, whatever else has changed", async () => {
    const before = (await signIn("s-ann")).user;
    provider.accounts.set("s-ann", { preferred_username: "anna", email: "anna@corp.example", email_verified: true });
    const { user } = await signIn("s-ann");
    expect(user).toMatchObject({ id: before?.id, username: "ann", email: "anna@corp.example" });
  });

  it("gives nobody an account for an email or a name that is another's", async () => {
    const victim = { username: "victim", email: "victim@corp.example", password: "correct horse battery" };
    await replica.auth.register(victim);
    const like = { preferred_username: "victim", email: "Victim@corp.example", email_verified: true };
    provider.accounts.set("s-attacker", like);
    const { user, token } = await signIn("s-attacker");
    expect(user).toMatchObject({ username: "victim-2", email: "" });
    expect((await replica.auth.getMe({}, bearer(token))).user?.username).toBe("victim-2");
    provider.accounts.set("s-other", { ...like, email: "anna@corp.example" });
    expect((await signIn("s-other")).user).toMatchObject({ username: "victim-3", email: "" });
  });

  it("believes an email only where the provider vouches for it", async () => {
    provider.accounts.set("s-ben", { preferred_username: "ben", email: "boss@corp.example", email_verified: false });
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
    provider.accounts.set(subject, { preferred_username: name });
    expect((await signIn(subject)).user?.username).toBe(username);
  });

  it("makes one user of two first sign-ins at once", async () => {
    provider.accounts.set("s-twin", { preferred_username: "twin" });
    const other = await startReplica(store, { config: settingsFor(provider) });
    const both = await Promise.all([signIn("s-twin"), signIn("s-twin", other)]);
    expect(new Set(both.map(({ user }) => user?.id)).size).toBe(1);
    await other.close();
  });

  it("turns away whom an administrator disabled", async () => {
    provider.accounts.set("s-gone", { preferred_username: "gone" });
    const { token } = await signIn("s-gone");
    await replica.auth.updateUser({ username: "gone", disabled: true }, admin);
    expect((await failure(replica.auth.getMe({}, bearer(token)))).kind).toBe("unauthenticated");
    expect((await failure(signIn("s-gone"))).message).toBe("Invalid authentication");
  });

  it.each([
    ["that says everything in its ID tokens", { wholeIdTokens: true }],
    ["that wants the client's secret in the form", { clientAuthentication: "client_secret_post" }],
  ] as const)("works with a provider %s", async (_what, options) => {
    const another = await startProvider(options);
    const its = await startReplica(store, { config: settingsFor(another) });
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
    provider.accounts.set("s-chief", { preferred_username: "chief", groups });
    return signIn("s-chief");
  };

  it("gives the role, and takes it away at the next sign-in without it, from earlier tokens too", async () => {
    const { user, token } = await as(["staff", "registry-admins"]);
    expect(user?.role).toBe("admin");
    expect((await replica.auth.listUsers({}, bearer(token))).users.length).toBeGreaterThan(0);
    expect((await as(["staff"])).user?.role).toBe("user");
    expect((await failure(replica.auth.listUsers({}, bearer(token)))).kind).toBe("permission_denied");
  });

  it("takes groups that are not told for none", async () => {
    expect((await as(["registry-admins"])).user?.role).toBe("admin");
    expect((await as(undefined)).user?.role).toBe("user");
    expect((await as({ name: "registry-admins" })).user?.role).toBe("user");
    expect((await as([["registry-admins"], 1, null])).user?.role).toBe("user");
  });

  it("leaves what an administrator gave by hand, and goes back to the role from before", async () => {
    await replica.auth.updateUser({ username: "chief", role: "admin" }, admin);
    expect((await as([])).user?.role).toBe("admin");
    await replica.auth.updateUser({ username: "chief", role: "publisher" }, admin);
    expect((await as(["registry-admins"])).user?.role).toBe("admin");
    expect((await as([])).user?.role).toBe("publisher");
  });

  it("does not leave the registry without an administrator", async () => {
    const own = await openStore();
    const lonely = await startReplica(own, { config: settingsFor(provider) });
    const its = bearer((await readFile(join(own.folder, "admin-token"), "utf8")).trim());
    provider.accounts.set("s-last", { preferred_username: "last", groups: ["registry-admins"] });
    await signIn("s-last", lonely);
    await lonely.auth.updateUser({ username: "admin", disabled: true }, its);
    provider.accounts.set("s-last", { preferred_username: "last", groups: [] });
    expect((await signIn("s-last", lonely)).user?.role).toBe("admin");
    await lonely.close();
    await own.close();
  });
});

describe("a callback", () => {
  it("signs in once, also where it is shown to two replicas at the same time", async () => {
    const { authorizationUrl, sealedState } = await begin();
    const callbackUrl = await visitProvider(authorizationUrl, "s-ann");
    const other = await startReplica(store, { config: settingsFor(provider) });
    const outcomes = await Promise.allSettled(
      [replica, other].map(({ federation }) => federation.finishSignIn({ callbackUrl, sealedState })),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await refused(callbackUrl, sealedState);
    await other.close();
  });

  it("belongs to the browser that began: another's state or cookie is worth nothing", async () => {
    const mine = await begin();
    const attackers = await begin();
    const theirs = await visitProvider(attackers.authorizationUrl, "s-attacker");
    await refused(theirs, mine.sealedState);
    const url = new URL(theirs);
    url.searchParams.set("state", "guessed");
    await refused(url.href, attackers.sealedState);
    url.searchParams.delete("state");
    await refused(url.href, attackers.sealedState);
    await refused(theirs, "");
    // Nothing of this has used it up.
    expect(
      (await replica.federation.finishSignIn({ callbackUrl: theirs, sealedState: attackers.sealedState })).token,
    ).not.toBe("");
  });

  it("comes to the address that it was asked for, from the provider that was asked, and says everything once", async () => {
    const { authorizationUrl, sealedState } = await begin();
    const callbackUrl = await visitProvider(authorizationUrl, "s-ann");
    await refused(callbackUrl.replace("127.0.0.1:8080", "evil.example"), sealedState);
    await refused(callbackUrl.replace("/callback?", "/other?"), sealedState);
    await refused(`${callbackUrl}&state=${new URL(callbackUrl).searchParams.get("state")}`, sealedState);
    await refused(callbackUrl.replace(/iss=[^&]*/, "iss=https%3A%2F%2Fevil.example"), sealedState);
    await refused(callbackUrl.replace(/&?iss=[^&]*/, ""), sealedState);
    await refused("no url", sealedState);
    expect((await replica.federation.finishSignIn({ callbackUrl, sealedState })).user?.username).toBe("ann");
  });

  it("is over after ten minutes", async () => {
    const late = await startReplica(store, { config: settingsFor(provider) });
    const { authorizationUrl, sealedState } = await begin("", late);
    const callbackUrl = await visitProvider(authorizationUrl, "s-ann");
    late.surroundings.clock.advance(10 * 60_000 + 1000);
    expect((await failure(late.federation.finishSignIn({ callbackUrl, sealedState }))).kind).toBe("unauthenticated");
    await late.close();
  });

  it("does not hold with a single character of the sealed state changed", async () => {
    const { authorizationUrl, sealedState } = await begin();
    const callbackUrl = await visitProvider(authorizationUrl, "s-ann");
    await fc.assert(
      fc.asyncProperty(fc.nat(sealedState.length - 1), fc.constantFrom(..."abcXYZ019_-.= "), async (at, char) => {
        // The last character carries bits that no decoder reads.
        fc.pre(sealedState[at] !== char && at < sealedState.length - 1);
        await refused(callbackUrl, sealedState.slice(0, at) + char + sealedState.slice(at + 1));
      }),
      { numRuns: 60 },
    );
    await refused(callbackUrl, sealedState.slice(0, -4));
    await refused(callbackUrl, `${sealedState}AAAA`);
  });

  it("with a code that was made up is refused", async () => {
    const { authorizationUrl, sealedState } = await begin();
    const callbackUrl = await visitProvider(authorizationUrl, "s-ann");
    await refused(callbackUrl.replace(/code=[^&]*/, "code=guessed"), sealedState);
  });

  it("of somebody who turned back says so", async () => {
    const { authorizationUrl, sealedState } = await begin();
    const callbackUrl = await visitProvider(authorizationUrl, undefined);
    const error = await failure(replica.federation.finishSignIn({ callbackUrl, sealedState }));
    expect([error.kind, error.reason]).toEqual(["permission_denied", "SIGN_IN_REFUSED"]);
  });

  it("whose ID token was made for another sign-in is refused", async () => {
    const { authorizationUrl, sealedState } = await begin();
    const url = new URL(authorizationUrl);
    url.searchParams.set("nonce", "a nonce of the attacker's own");
    await refused(await visitProvider(url.href, "s-attacker"), sealedState);
  });
});

describe("an ID token from the provider's own endpoint", () => {
  let forger: BuildSystem;
  let its: Replica;
  beforeAll(async () => {
    forger = await BuildSystem.start();
    const config = { ...settingsFor(provider), OIDC_ISSUER: forger.issuer };
    its = await startReplica(store, { config });
  });
  afterAll(async () => {
    await its.close();
    await forger.close();
  });

  const finish = async (change: Record<string, unknown>, header: Record<string, unknown> = {}, access = {}) => {
    const { authorizationUrl, sealedState } = await begin("", its);
    const { state = "", nonce } = Object.fromEntries(new URL(authorizationUrl).searchParams);
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: forger.issuer, aud: provider.clientId, sub: "1", iat: now, exp: now + 60, nonce, ...change };
    forger.tokens = { id_token: await forger.mint(claims, { header }), token_type: "Bearer", ...access };
    const callbackUrl = `${redirectUri}?${new URLSearchParams({ code: "code", state })}`;
    return its.federation.finishSignIn({ callbackUrl, sealedState });
  };

  it("holds where it is for this registry and this sign-in", async () => {
    expect((await finish({ preferred_username: "forged" })).user?.username).toBe("forged");
    expect((await finish({ aud: [provider.clientId, "b"], azp: provider.clientId })).user?.username).toBe("forged");
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

describe("where a sign-in may lead", () => {
  it.each(["", "/", "/ui/", "/plugins/@acme/pump?tab=versions#files"])("is a path here: %j", async (returnTo) => {
    expect((await begin(returnTo)).authorizationUrl).toContain(`${provider.issuer}/auth?`);
  });

  it("is never another site", async () => {
    const base = "https://registry.example";
    const tricks = fc.oneof(
      fc.constantFrom(
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "/.//evil.example",
      ),
      fc.constantFrom(
        "\\\\evil.example",
        "javascript:alert(1)",
        " /ui",
        "ui",
        "/%0d%0aset-cookie:x",
        "/\r\nx: y",
        "/..//x",
      ),
      fc
        .array(fc.constantFrom("/", "\\", ".", "..", "@", ":", "\t", "\n", "%2f", "evil.example", "?", "#"), {
          maxLength: 8,
        })
        .map((parts) => parts.join("")),
      fc.string({ unit: "binary", maxLength: 20 }).map((text) => `/${text}`),
    );
    await fc.assert(
      fc.asyncProperty(tricks, async (returnTo) => {
        const outcome = await begin(returnTo).catch((error: { reason: string }) => error.reason);
        if (outcome === "INVALID_RETURN_TO") return;
        const target = new URL(returnTo, base);
        expect(target.origin).toBe(base);
        expect(target.pathname.startsWith("//")).toBe(false);
        expect(returnTo === "" || returnTo.startsWith("/")).toBe(true);
        expect(returnTo).not.toMatch(/[^\x21-\x7e]|\\/);
      }),
      { numRuns: 300 },
    );
    for (const returnTo of [
      "//evil.example",
      "/\\evil.example",
      "/.//evil.example",
      "/a\u0000",
      `/${"x".repeat(600)}`,
    ]) {
      expect((await failure(begin(returnTo))).reason).toBe("INVALID_RETURN_TO");
    }
  });

  it.each(["", "ftp://a/b", "http://a/b#c", "http://a/b?c=d", "http://u:p@a/b", "javascript:alert(1)"])(
    "comes back over no such address: %s",
    async (uri) => {
      const error = await failure(replica.federation.beginSignIn({ redirectUri: uri, returnTo: "" }));
      expect(error.reason).toBe("INVALID_REDIRECT_URI");
    },
  );
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
    const config = { ...settingsFor(provider), OIDC_ISSUER: gone.issuer };
    await gone.close();
    const its = await startReplica(store, { config });
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
    const its = await startReplica(store, { config: { ...settingsFor(provider), OIDC_ISSUER: strange.issuer } });
    await away(its);
    await its.close();
    await strange.close();
  });

  it.each(["silent", "elsewhere"] as const)("that is %s is not waited for long, nor followed", async (manner) => {
    const strange = await BuildSystem.start();
    strange.manner = manner;
    const its = await startReplica(store, { config: { ...settingsFor(provider), OIDC_ISSUER: strange.issuer } });
    await away(its);
    strange.manner = "plain";
    expect((await begin("", its)).authorizationUrl).toContain(`${strange.issuer}/authorize?`);
    await its.close();
    await strange.close();
  });

  it("that is not configured is not there", async () => {
    const bare = await startReplica(store);
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
