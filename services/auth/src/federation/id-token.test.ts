import { SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { BuildSystem, createBuildKey } from "../testing/build-system.ts";
import { forgeUnsigned } from "../testing/forge.ts";
import { failure, startReplica } from "../testing/harness.ts";
import { audience, createWorkshop } from "./testing/workshop.ts";

const workshop = createWorkshop();
const { nextName, anotherReplica, create, seconds, workflow, exchange, refuses } = workshop;

describe("an ID token", () => {
  let plugin: string;
  beforeAll(async () => {
    plugin = nextName("strict");
    await create(plugin);
  });

  it("is taken once, whichever of two replicas is shown it first", async () => {
    const other = await anotherReplica();
    const idToken = await workshop.builds.mint(workflow());
    // Each of them would take one like it.
    for (const at of [workshop.replica, other]) await exchange(await workshop.builds.mint(workflow()), plugin, at);
    const outcomes = await Promise.allSettled(
      [workshop.replica, other, workshop.replica, other].map((at) => exchange(idToken, plugin, at)),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await refuses(idToken, plugin);
    await other.close();
  });

  it("is not used up by being shown for a plugin that does not trust it", async () => {
    const idToken = await workshop.builds.mint(workflow());
    await refuses(idToken, nextName("unknown"));
    expect((await exchange(idToken, plugin)).plugin).toBe(plugin);
  });

  it("stays used for as long as any clock could take it", async () => {
    const idToken = await workshop.builds.mint(workflow({ exp: seconds(60) }));
    await exchange(idToken, plugin);
    const again = await workshop.builds.mint(workflow({ jti: "used-again", exp: seconds(60) }));
    await exchange(again, plugin);
    workshop.replica.surroundings.clock.advance(80_000);
    await refuses(again, plugin);
    await refuses(await workshop.builds.mint(workflow({ jti: "used-again" })), plugin);
  });

  it.each([
    ["for another audience", () => ({ aud: "another" })],
    ["for others, too", () => ({ aud: [audience, "another"] })],
    ["for nobody", () => ({ aud: undefined })],
    ["given to another party", () => ({ azp: "another" })],
    ["of an issuer that is not trusted", () => ({ iss: "https://other.example" })],
    ["of nearly the same issuer", () => ({ iss: `${workshop.builds.issuer}/` })],
    ["of nobody", () => ({ iss: undefined })],
    ["over", () => ({ iat: seconds(-200), exp: seconds(-31) })],
    ["without end", () => ({ exp: undefined })],
    ["without age", () => ({ iat: undefined })],
    ["of the future", () => ({ iat: seconds(60) })],
    ["not valid yet", () => ({ nbf: seconds(60) })],
    ["good for more than an hour", () => ({ exp: seconds(3601) })],
    ["without jti", () => ({ jti: undefined })],
    ["with an empty jti", () => ({ jti: "" })],
    ["with a jti that is no text", () => ({ jti: 7 })],
    ["of another repository", () => ({ repository_id: "4712" })],
    ["of the same name under another owner", () => ({ repository_owner_id: "43" })],
    ["of another branch", () => ({ ref: "refs/heads/evil" })],
    ["without a claim that is pinned", () => ({ ref: undefined })],
    ["with a claim in a list", () => ({ repository_id: ["4711"] })],
    ["with a claim in another case", () => ({ ref: "refs/heads/Main" })],
  ])("is refused where it is %s", async (_what, change) => {
    await refuses(await workshop.builds.mint(workflow(change())), plugin);
  });

  it("is refused in every form that only looks signed", async () => {
    const claims = workflow();
    const { key } = workshop.builds;
    const pem = JSON.stringify(key.publicJwk);
    const byPublicKey = new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT", kid: key.kid });
    await refuses(await byPublicKey.sign(new TextEncoder().encode(pem)), plugin);
    await refuses(await byPublicKey.sign(Buffer.from(key.publicJwk.n ?? "", "base64url")), plugin);
    await refuses(forgeUnsigned(claims, { alg: "none", typ: "JWT" }), plugin);
    await refuses(forgeUnsigned(claims, { alg: "none", kid: key.kid }, "AAAA"), plugin);
    const stranger = await createBuildKey(key.kid);
    await refuses(await workshop.builds.mint(claims, { key: stranger }), plugin);
    await refuses(await workshop.builds.mint(claims, { key: stranger, header: { jwk: stranger.publicJwk } }), plugin);
    await refuses(
      await workshop.builds.mint(claims, { key: stranger, header: { jku: "https://evil.example/keys" } }),
      plugin,
    );
    await refuses(await workshop.builds.mint(claims, { header: { typ: "at+jwt" } }), plugin);
    const whole = await workshop.builds.mint(claims);
    await refuses(`${whole.slice(0, -10)}AAAAAAAAAA`, plugin);
    for (const text of ["", "a.b.c", "acr_x", "..", `${"x".repeat(20_000)}.y.z`]) await refuses(text, plugin);
    // The honest one still counts.
    expect((await exchange(whole, plugin)).plugin).toBe(plugin);
  });

  it("with a new key is taken once the issuer shows that key, and made-up keys do not make it asked again", async () => {
    const fresh = await anotherReplica();
    await exchange(await workshop.builds.mint(workflow()), plugin, fresh);
    const old = workshop.builds.key;
    await workshop.builds.rotate();
    const asked = workshop.builds.keysAsked;
    const idToken = await workshop.builds.mint(workflow());
    // The keys were read a moment ago.
    expect((await failure(exchange(idToken, plugin, fresh))).kind).toBe("unauthenticated");
    expect(workshop.builds.keysAsked).toBe(asked);
    fresh.surroundings.clock.advance(31_000);
    const strange = await Promise.all(
      Array.from({ length: 10 }, (_, i) => workshop.builds.mint(workflow(), { header: { kid: `made-up-${i}` } })),
    );
    for (const token of strange) {
      expect((await failure(exchange(token, plugin, fresh))).kind).toBe("unauthenticated");
    }
    expect(workshop.builds.keysAsked).toBe(asked + 1);
    expect((await exchange(idToken, plugin, fresh)).plugin).toBe(plugin);
    const rotatedAway = await workshop.builds.mint(workflow(), { key: old });
    expect((await failure(exchange(rotatedAway, plugin, fresh))).kind).toBe("unauthenticated");
    await fresh.close();
  });

  it("of an issuer that is away is neither taken nor said to be wrong", async () => {
    const gone = await BuildSystem.start();
    const its = await anotherReplica(gone.issuer);
    const idToken = await gone.mint(workflow({ iss: gone.issuer }));
    await gone.close();
    expect((await failure(exchange(idToken, plugin, its))).kind).toBe("unavailable");
    await its.close();
  });

  it("is tried in vain only so often from one address", async () => {
    const strict = await startReplica(workshop.store, {
      config: { TRUSTED_ISSUERS: [workshop.builds.issuer], RATE_LIMIT_FAILED_CREDENTIALS: 3 },
    });
    const wrong = () => failure(exchange("a.b.c", plugin, strict));
    for (let i = 0; i < 3; i++) expect((await wrong()).kind).toBe("unauthenticated");
    expect((await wrong()).kind).toBe("rate_limited");
    const now = Math.floor(Date.now() / 1000);
    const honest = await workshop.builds.mint(workflow({ iat: now, exp: now + 60 }));
    expect((await exchange(honest, plugin, strict)).plugin).toBe(plugin);
    await strict.close();
  });

  it("is no secret that the registry keeps", async () => {
    const name = nextName("tool");
    await create(name);
    const idToken = await workshop.builds.mint(workflow());
    const { token } = await exchange(idToken, name);
    const tokens = await workshop.store.documents.collection<{ _id: string }>({ name: "tokens", indexes: [] });
    const kept = JSON.stringify(await tokens.find({}));
    expect(kept).not.toContain(token);
    expect(kept).not.toContain(idToken.split(".")[2]);
  });
});
