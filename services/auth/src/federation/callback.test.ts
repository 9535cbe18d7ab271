import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { failure, startReplica } from "../testing/harness.ts";
import { visitProvider } from "../testing/oidc-provider.ts";
import { createCompany } from "./testing/company.ts";

const company = createCompany();
const { settingsFor, begin, refused } = company;

beforeAll(() => {
  company.provider.accounts.set("s-ann", { preferred_username: "ann" });
  company.provider.accounts.set("s-attacker", { preferred_username: "attacker" });
});

describe("a callback", () => {
  it("signs in once, also where it is shown to two replicas at the same time", async () => {
    const { authorizationUrl, sealedState } = await begin();
    const callbackUrl = await visitProvider(authorizationUrl, "s-ann");
    const other = await startReplica(company.store, { config: settingsFor(company.provider) });
    const outcomes = await Promise.allSettled(
      [company.replica, other].map(({ federation }) => federation.finishSignIn({ callbackUrl, sealedState })),
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
      (await company.replica.federation.finishSignIn({ callbackUrl: theirs, sealedState: attackers.sealedState }))
        .token,
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
    expect((await company.replica.federation.finishSignIn({ callbackUrl, sealedState })).user?.username).toBe("ann");
  });

  it("is over after ten minutes", async () => {
    const late = await startReplica(company.store, { config: settingsFor(company.provider) });
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
    const error = await failure(company.replica.federation.finishSignIn({ callbackUrl, sealedState }));
    expect([error.kind, error.reason]).toEqual(["permission_denied", "SIGN_IN_REFUSED"]);
  });

  it("whose ID token was made for another sign-in is refused", async () => {
    const { authorizationUrl, sealedState } = await begin();
    const url = new URL(authorizationUrl);
    url.searchParams.set("nonce", "a nonce of the attacker's own");
    await refused(await visitProvider(url.href, "s-attacker"), sealedState);
  });
});

describe("where a sign-in may lead", () => {
  it.each(["", "/", "/ui/", "/plugins/@acme/pump?tab=versions#files"])("is a path here: %j", async (returnTo) => {
    expect((await begin(returnTo)).authorizationUrl).toContain(`${company.provider.issuer}/auth?`);
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
      const error = await failure(company.replica.federation.beginSignIn({ redirectUri: uri, returnTo: "" }));
      expect(error.reason).toBe("INVALID_REDIRECT_URI");
    },
  );
});
