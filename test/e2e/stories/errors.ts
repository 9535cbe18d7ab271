import { describe, expect, it } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import type { Actor } from "../actors.ts";
import { type Answer, exchange } from "../http.ts";
import { expectProblem } from "../shapes.ts";
import { password, type World } from "../world.ts";

interface Cast {
  readonly anonymous: Actor;
  readonly user: Actor;
  readonly publisher: Actor;
  readonly admin: Actor;
  /** A public plugin of `publisher`, 1.0.0. */
  readonly name: string;
}

type Case = readonly [code: string, status: number, provoke: (cast: Cast) => Promise<Answer>];

const json = { "content-type": "application/json" };
const long = "x".repeat(300);
const newUser = (change: object) => ({ username: "zoe-of-nowhere", email: "zoe@example.org", password, ...change });

/** Reasons that arise in the gateway itself. */
const edge: readonly Case[] = [
  ["ROUTE_NOT_FOUND", 404, ({ anonymous }) => anonymous.gets("/api/v1/nothing-here")],
  ["METHOD_NOT_ALLOWED", 405, ({ anonymous }) => anonymous.request("PUT", "/api/v1/plugins")],
  ["MALFORMED_URL", 400, ({ anonymous }) => anonymous.gets("/api/v1/plugins/%E0%A4")],
  ["INVALID_QUERY", 400, ({ anonymous }) => anonymous.gets("/api/v1/plugins?limit=0")],
  ["INVALID_QUERY", 400, ({ anonymous }) => anonymous.gets("/api/v1/plugins?limit=101")],
  ["INVALID_QUERY", 400, ({ anonymous }) => anonymous.gets("/api/v1/plugins?offset=-1")],
  ["INVALID_QUERY", 400, ({ anonymous }) => anonymous.gets("/api/v1/plugins?query=a&query=b")],
  ["INVALID_QUERY", 400, ({ anonymous }) => anonymous.gets("/api/v1/plugins?query[$ne]=a&sort=random")],
  ["INVALID_QUERY", 400, ({ anonymous }) => anonymous.gets(`/api/v1/search?q=${long}`)],
  ["INVALID_QUERY", 400, ({ anonymous }) => anonymous.gets("/api/v1/analytics/popular?days=0")],
  ["INVALID_BODY", 400, ({ anonymous }) => anonymous.sends("POST", "/api/v1/auth/login", { username: 1 })],
  [
    "INVALID_BODY",
    400,
    ({ anonymous }) => anonymous.sends("POST", "/api/v1/auth/login", { username: { $ne: "" }, password }),
  ],
  [
    "MALFORMED_BODY",
    400,
    ({ anonymous }) => anonymous.request("POST", "/api/v1/auth/login", { headers: json, body: "{" }),
  ],
  [
    "MALFORMED_BODY",
    400,
    ({ anonymous }) =>
      anonymous.request("POST", "/api/v1/auth/login", { headers: json, body: '{"__proto__": {"a": 1}}' }),
  ],
  ["UNSUPPORTED_MEDIA_TYPE", 415, ({ anonymous }) => anonymous.request("POST", "/api/v1/auth/login", { body: "a=b" })],
  [
    "BODY_TOO_LARGE",
    413,
    ({ anonymous }) => anonymous.sends("POST", "/api/v1/auth/login", { username: "x".repeat(70_000) }),
  ],
  ["NOT_MULTIPART", 415, ({ publisher }) => publisher.sends("POST", "/api/v1/plugins", {})],
];

/** Reasons of auth. */
const auth: readonly Case[] = [
  ["INVALID_CREDENTIAL", 401, ({ anonymous }) => anonymous.with("acr_nothing").gets("/api/v1/plugins")],
  ["INVALID_CREDENTIAL", 401, ({ anonymous }) => anonymous.gets("/api/v1/auth/me")],
  ["REGISTRATION_CLOSED", 403, ({ anonymous }) => anonymous.sends("POST", "/api/v1/auth/register", newUser({}))],
  ["INVALID_USERNAME", 400, ({ admin }) => admin.sends("POST", "/api/v1/users", newUser({ username: "-zoe" }))],
  ["RESERVED_USERNAME", 400, ({ admin }) => admin.sends("POST", "/api/v1/users", newUser({ username: "anonymous" }))],
  ["INVALID_EMAIL", 400, ({ admin }) => admin.sends("POST", "/api/v1/users", newUser({ email: "zoe" }))],
  ["INVALID_RIGHT", 400, ({ admin }) => admin.sends("POST", "/api/v1/users", newUser({ grants: ["fly"] }))],
  [
    "INVALID_PASSWORD_HASH",
    400,
    ({ admin }) => admin.sends("POST", "/api/v1/users", { ...newUser({}), password: undefined, password_hash: "md5" }),
  ],
  ["INVALID_PASSWORD", 400, ({ admin }) => admin.sends("POST", "/api/v1/users", newUser({ password_hash: "x" }))],
  [
    "EMAIL_TAKEN",
    409,
    ({ admin, user }) => admin.sends("POST", "/api/v1/users", newUser({ email: `${user.username}@example.org` })),
  ],
  [
    "USERNAME_TAKEN",
    409,
    ({ admin, user }) => admin.sends("POST", "/api/v1/users", newUser({ username: user.username })),
  ],
  ["USER_NOT_FOUND", 404, ({ admin }) => admin.gets("/api/v1/users/no-such-user")],
  ["LAST_ADMIN", 409, ({ admin }) => admin.changesUser("admin", { disabled: true })],
  [
    "WRONG_PASSWORD",
    403,
    ({ user }) => user.sends("PUT", "/api/v1/auth/password", { current_password: "x", new_password: password }),
  ],
  ["INVALID_TOKEN_NAME", 400, ({ user }) => user.createsToken("\u0007")],
  ["INVALID_ADDRESS", 400, ({ user }) => user.createsToken("x", [], { addresses: ["10.0.0.0/33"] })],
  ["NOT_A_SERVICE_ACCOUNT", 400, ({ admin, user }) => admin.createsToken("x", [], { username: user.username })],
  ["TOTP_NOT_BEGUN", 409, ({ user }) => user.sends("PUT", "/api/v1/auth/totp", { code: "123456" })],
  ["TOTP_NOT_ENABLED", 409, ({ user }) => user.sends("DELETE", "/api/v1/auth/totp", { password, code: "123456" })],
  ["NO_SIGNING_KEYS", 409, ({ admin }) => admin.request("POST", "/api/v1/auth/jwks/rotate")],
  ["TOKEN_NOT_FOUND", 404, ({ user }) => user.request("DELETE", "/api/v1/tokens/none")],
  ["PERMISSION_DENIED", 403, ({ user }) => user.gets("/api/v1/users")],
  ["INVALID_PAGE_TOKEN", 400, ({ admin }) => admin.gets("/api/v1/users?cursor=x")],
];

/** Reasons of catalog and storage. */
const plugins: readonly Case[] = [
  ["PLUGIN_NOT_FOUND", 404, ({ anonymous }) => anonymous.reads("no-such-plugin")],
  ["PLUGIN_NOT_FOUND", 404, ({ anonymous }) => anonymous.reads("..%2f..%2fetc")],
  ["VERSION_NOT_FOUND", 404, ({ publisher, name }) => publisher.reads(name, "2.0.0")],
  ["VERSION_NOT_FOUND", 404, ({ publisher, name }) => publisher.reads(name, "no-such-channel")],
  ["INVALID_VERSION", 400, ({ publisher, name }) => publisher.reads(name, "not a version!")],
  ["CHANNEL_NOT_FOUND", 404, ({ publisher, name }) => publisher.gets(`/api/v1/plugins/${name}/channels/beta`)],
  ["INVALID_CHANNEL", 400, ({ publisher, name }) => publisher.movesChannel(name, "Beta", "1.0.0")],
  ["INVALID_PAGE_TOKEN", 400, ({ publisher, name }) => publisher.gets(`/api/v1/plugins/${name}/versions?cursor=!`)],
  [
    "FILE_NOT_FOUND",
    404,
    ({ publisher, name }) => publisher.gets(`/api/v1/plugins/${name}/versions/1.0.0/files/nothing`),
  ],
  [
    "CHANGELOG_NOT_FOUND",
    404,
    ({ publisher, name }) => publisher.gets(`/api/v1/plugins/${name}/versions/1.0.0/changelog`),
  ],
  ["UNKNOWN_OWNER", 400, ({ publisher, name }) => publisher.updates(name, { owner: "no-such-user" })],
  ["PERMISSION_DENIED", 403, ({ user, name }) => user.deletes(name)],
  ["INVALID_TITLE", 400, ({ publisher, name }) => publisher.updates(name, { title: "\u0000" })],
  ["RELEASE_EXISTS", 409, ({ publisher, name }) => publisher.publishes(pluginZip({ name, ballast: 1 }))],
  ["UNSUPPORTED_ARCHIVE", 415, ({ publisher }) => publisher.publishes(Buffer.from("not an archive"))],
  ["INVALID_MANIFEST", 422, ({ publisher }) => publisher.publishes(pluginZip({ name: "all" }))],
  ["INVALID_MANIFEST", 422, ({ publisher }) => publisher.publishes(pluginZip({ name: "two--hyphens" }))],
  ["INVALID_MANIFEST", 422, ({ publisher }) => publisher.publishes(pluginZip({ name: "build", version: "1.0.0+1" }))],
];

/** Every refusal has one shape, and its reason comes through service, client and gateway as it was given. */
export function errorStories(world: World): void {
  describe("every refusal is a problem document", () => {
    let cast: Promise<Cast> | undefined;
    const castOnce = (): Promise<Cast> => {
      cast ??= gather(world);
      return cast;
    };

    it.each([...edge, ...auth, ...plugins].map(([code, status, provoke], index) => ({ index, code, status, provoke })))(
      "$status $code ($index)",
      async ({ code, status, provoke }) => {
        const answer = await provoke(await castOnce());
        expectProblem(answer, status, code);
        expect(answer.headers.has("www-authenticate")).toBe(status === 401);
        expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
      },
    );

    it("never echoes a password or a token", async () => {
      const { anonymous } = await castOnce();
      const secret = "correct horse battery staple";
      const login = await anonymous.sends("POST", "/api/v1/auth/login", { username: "x", password: [secret] });
      const read = await anonymous.with("acr_secret-secret-secret").gets("/api/v1/plugins");
      expect(login.text + read.text).not.toMatch(/horse|acr_/);
      expect(world.stack.logs()).not.toMatch(/horse|acr_secret/);
    });

    it("says what it cannot even parse, and how large headers may be", async () => {
      const { anonymous } = await castOnce();
      const headers = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x-flood-${i}`, "x".repeat(500)]));
      const answer = await exchange("GET", `${anonymous.gateway}/api/v1/plugins`, { headers });
      expect([answer.status, answer.json()]).toMatchObject([431, { code: "HEADERS_TOO_LARGE", status: 431 }]);
    });
  });
}

async function gather(world: World): Promise<Cast> {
  const publisher = await world.publisher();
  const user = (await world.user()).at(publisher.gateway);
  const name = world.name("sample");
  expect((await publisher.publishes(pluginZip({ name }))).status).toBe(201);
  const { gateway } = publisher;
  const admin = world.admin.at(gateway);
  await world.soon(async () => expect((await user.gets("/api/v1/auth/me")).status).toBe(200));
  return { publisher, user, name, admin, anonymous: world.anonymous.at(gateway) };
}
