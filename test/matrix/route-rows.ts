import { multipart, packagePart } from "../builders/form.ts";
import { pluginZip } from "../builders/plugin.ts";
import type { Sent } from "../e2e/http.ts";
import { password } from "../e2e/world.ts";
import { account, counter, type Fixture, member, plugin, release, robot, succeeds } from "./fixture.ts";
import {
  always,
  type CallerKind,
  callerKinds,
  everybody,
  maintainers,
  members,
  owners,
  publishers,
  type Row,
  unscoped,
  users,
} from "./row.ts";

/** One HTTP request. */
export interface Asked extends Sent {
  readonly path: string;
}

type RouteRow = Row<Asked>;
type Ask = RouteRow["ask"];

const api = "/api/v1";
const at =
  (path: (fixture: Fixture, kind: CallerKind) => string, json?: (fixture: Fixture, kind: CallerKind) => unknown): Ask =>
  (fixture, kind) => ({ path: path(fixture, kind), ...(json === undefined ? {} : { json: json(fixture, kind) }) });
const onSecret = (rest: string, json?: object): Ask =>
  at((f) => `${api}/plugins/${f.secret}${rest}`, json === undefined ? undefined : () => json);
const onRelease =
  (rest: string, json?: unknown): Ask =>
  async (f) => ({ path: `${api}/plugins/${f.secret}/versions/${await release(f)}${rest}`, ...(json ? { json } : {}) });
const onPlugin =
  (rest: string, json?: unknown): Ask =>
  async (f) => ({ path: `${api}/plugins/${await plugin(f)}${rest}`, ...(json ? { json } : {}) });
const onOrg = (rest: string, json?: (fixture: Fixture) => unknown): Ask =>
  at((f) => `${api}/orgs/${f.org}${rest}`, json);

const open = (ask: Ask, lets: readonly CallerKind[] = everybody): RouteRow => ({ lets, refusal: "closed", ask });
/** What anybody may look at. */
const page = (path: string): RouteRow => open(at(() => path));
/** Of the private plugin, for those who may see it. */
const read = (ask: Ask): RouteRow => ({ lets: members, refusal: "hidden", read: true, ask });
/** A change of the private plugin. */
const change = (lets: readonly CallerKind[], ask: Ask, more: Partial<RouteRow> = {}): RouteRow => ({
  lets,
  refusal: "hidden",
  ask,
  ...more,
});
const spending = { spends: true } as const;
const admins = (ask: Ask, lets: readonly CallerKind[] = ["admin"]): RouteRow => ({ lets, refusal: "closed", ask });
const self = (ask: Ask, lets: readonly CallerKind[] = unscoped): RouteRow => ({ lets, refusal: "closed", ask });
/** Within the organisation. A token that may read nothing is told so, whether or not there is such an organisation. */
const inOrg = (lets: readonly CallerKind[], ask: Ask, more: Partial<RouteRow> = {}): RouteRow => ({
  lets,
  refusal: "hidden",
  expects: { ownersPublishToken: "denied" },
  ask,
  ...more,
});

function publishForm(f: Fixture): Omit<Asked, "path"> {
  const base = f.secret.slice(f.secret.indexOf("/") + 1);
  return multipart([
    { field: "name", content: f.secret },
    packagePart(pluginZip({ name: base, version: `3.0.${counter()}` })),
  ]);
}

const publishing: RouteRow = {
  lets: [...publishers, "ownersPublishToken"],
  // That the name is taken is no news to somebody who tries to publish it: every foreign namespace answers so.
  refusal: "closed",
  ask: (f) => ({ path: `${api}/plugins`, ...publishForm(f) }),
};

const system: Readonly<Record<string, RouteRow>> = {
  "GET /": page("/"),
  "GET /health": page("/health"),
  "GET /ready": page("/ready"),
  "GET /metrics": page("/metrics"),
  "GET /openapi.json": page("/openapi.json"),
  "GET /docs": page("/docs"),
  "GET /.well-known/security.txt": page("/.well-known/security.txt"),
  "GET /.well-known/jwks.json": page("/.well-known/jwks.json"),
};

const plugins: Readonly<Record<string, RouteRow>> = {
  "GET /api/v1/plugins": page(`${api}/plugins`),
  "GET /api/v1/plugins/all": page(`${api}/plugins/all`),
  "GET /api/v1/search": page(`${api}/search`),
  "POST /api/v1/plugins": publishing,
  "POST /api/v1/plugins/publish": {
    ...publishing,
    ask: (f) => ({ path: `${api}/plugins/publish`, ...publishForm(f) }),
  },
  "GET /api/v1/plugins/{name}": read(onSecret("")),
  "PATCH /api/v1/plugins/{name}": change(publishers, onSecret("", { title: "Another title" })),
  "DELETE /api/v1/plugins/{name}": change(maintainers, onPlugin(""), spending),
  "PUT /api/v1/plugins/{name}/deprecate": change(publishers, onSecret("/deprecate", { message: "Use another" })),
  "DELETE /api/v1/plugins/{name}/deprecate": change(publishers, onSecret("/deprecate")),
  "GET /api/v1/plugins/{name}/download": read(onSecret("/download")),
  "GET /api/v1/plugins/{name}/download/{version}": read(onSecret("/download/1.0.0")),
  "GET /plugins/{name}/{version}/{file}": read(
    at((f) => `/plugins/${f.secret}/1.0.0/${f.secret.slice(f.secret.indexOf("/") + 1)}-1.0.0.zip`),
  ),
  "GET /api/v1/plugins/{name}/channels": read(onSecret("/channels")),
  "GET /api/v1/plugins/{name}/channels/{channel}": read(onSecret("/channels/latest")),
  "PUT /api/v1/plugins/{name}/channels/{channel}": {
    ...change([...publishers, "ownersPublishToken"], onSecret("/channels/beta", { version: "1.0.0" })),
    // A token that may publish but not read may not look either, and is told so.
    lets: publishers,
  },
  "DELETE /api/v1/plugins/{name}/channels/{channel}": change(publishers, async (f) => {
    const path = `${api}/plugins/${f.secret}/channels/beta`;
    await succeeds(f.callers.admin, "PUT", path, { version: "1.0.0" });
    return { path };
  }),
  "GET /api/v1/plugins/{name}/owners": change(members, onSecret("/owners")),
  "PUT /api/v1/plugins/{name}/owners/{username}": change(owners, async (f) => ({
    path: `${api}/plugins/${f.secret}/owners/${await account(f)}`,
    json: { role: "reader" },
  })),
  "DELETE /api/v1/plugins/{name}/owners/{username}": change(
    owners,
    async (f) => {
      const username = await account(f);
      const path = `${api}/plugins/${f.secret}/owners/${username}`;
      await succeeds(f.callers.admin, "PUT", path, { role: "reader" });
      return { path };
    },
    spending,
  ),
  "POST /api/v1/plugins/{name}/transfer": change(owners, onPlugin("/transfer", { owner: "nobody-there" }), {}),
};

const releases: Readonly<Record<string, RouteRow>> = {
  "GET /api/v1/plugins/{name}/versions": read(onSecret("/versions")),
  "GET /api/v1/plugins/{name}/versions/{version}": read(onSecret("/versions/1.0.0")),
  "GET /api/v1/plugins/{name}/versions/{version}/readme": read(onSecret("/versions/1.0.0/readme")),
  "GET /api/v1/plugins/{name}/versions/{version}/changelog": read(onSecret("/versions/1.0.0/changelog")),
  "GET /api/v1/plugins/{name}/versions/{version}/files": read(onSecret("/versions/1.0.0/files")),
  "GET /api/v1/plugins/{name}/versions/{version}/files/{path}": read(onSecret("/versions/1.0.0/files/README.md")),
  "GET /api/v1/plugins/{name}/versions/{version}/findings": read(onSecret("/versions/1.0.0/findings")),
  "GET /api/v1/plugins/{name}/versions/{version}/checks": read(onSecret("/versions/1.0.0/checks")),
  "DELETE /api/v1/plugins/{name}/versions/{version}": change(maintainers, onRelease(""), spending),
  "PUT /api/v1/plugins/{name}/versions/{version}/yank": change(publishers, onRelease("/yank")),
  "DELETE /api/v1/plugins/{name}/versions/{version}/yank": change(publishers, onRelease("/yank")),
  "PUT /api/v1/plugins/{name}/versions/{version}/deprecate": change(
    publishers,
    onRelease("/deprecate", { message: "Old" }),
  ),
  "DELETE /api/v1/plugins/{name}/versions/{version}/deprecate": change(publishers, onRelease("/deprecate")),
  "POST /api/v1/plugins/{name}/versions/{version}/review": change(
    ["admin"],
    onRelease("/review", { decision: "quarantine", reason: "To be looked at" }),
    spending,
  ),
  "GET /api/v1/admin/reviews": admins(at(() => `${api}/admin/reviews`)),
};

const accounts: Readonly<Record<string, RouteRow>> = {
  "POST /api/v1/auth/register": {
    // Registration is closed, which everybody is told; the credential is beside the point.
    lets: [],
    refusal: "closed",
    expects: { anonymous: "denied", revoked: "denied" },
    ask: at(
      () => `${api}/auth/register`,
      (f) => ({ username: f.name("new"), email: "new@example.org", password }),
    ),
  },
  "POST /api/v1/auth/login": open(
    at(
      () => `${api}/auth/login`,
      (f) => ({ username: f.callers.stranger.username, password }),
    ),
    callerKinds,
  ),
  "POST /api/v1/auth/logout": self(async (f, kind) => {
    const headers = await throwaway(f, kind);
    return { path: `${api}/auth/logout`, ...headers };
  }, users),
  "GET /api/v1/auth/me": self(
    at(() => `${api}/auth/me`),
    users,
  ),
  // A wrong password of one's own is told as such.
  "PUT /api/v1/auth/password": {
    ...self(
      at(
        () => `${api}/auth/password`,
        () => ({ current_password: "not it", new_password: password }),
      ),
    ),
    lets: [],
  },
  // With a wrong password.
  "POST /api/v1/auth/totp": self(
    at(
      () => `${api}/auth/totp`,
      () => ({ password: "not it" }),
    ),
    [],
  ),
  "PUT /api/v1/auth/totp": self(
    at(
      () => `${api}/auth/totp`,
      () => ({ code: "000000" }),
    ),
  ),
  "DELETE /api/v1/auth/totp": self(
    at(
      () => `${api}/auth/totp`,
      () => ({ password: "not it", code: "000000" }),
    ),
  ),
  "GET /api/v1/auth/jwks": page(`${api}/auth/jwks`),
  "POST /api/v1/auth/jwks/rotate": admins(at(() => `${api}/auth/jwks/rotate`)),
  // Whoever has a credential could use it, so whose it is does not matter.
  "POST /api/v1/secret-report": open(
    at(
      () => `${api}/secret-report`,
      () => [{ token: "acr_not-one-of-ours" }],
    ),
    callerKinds,
  ),
  "GET /api/v1/users": admins(at(() => `${api}/users`)),
  "POST /api/v1/users": admins(
    at(
      () => `${api}/users`,
      (f) => ({ username: f.name("made"), email: `${f.name("made")}@example.org` }),
    ),
  ),
  "GET /api/v1/users/{username}": admins(at((f) => `${api}/users/${f.callers.stranger.username}`)),
  "PATCH /api/v1/users/{username}": admins(async (f) => ({
    path: `${api}/users/${await account(f)}`,
    json: { role: "user" },
  })),
  "GET /api/v1/tokens": self(at(() => `${api}/tokens`)),
  "POST /api/v1/tokens": self(
    at(
      () => `${api}/tokens`,
      () => ({ name: "another", scopes: ["read"] }),
    ),
  ),
  "DELETE /api/v1/tokens/{id}": {
    lets: [],
    refusal: "hidden",
    sees: users.filter((kind) => kind.endsWith("Token")),
    ask: at(() => `${api}/tokens/00000000-0000-0000-0000-000000000000`),
  },
};

/** A token for the request itself, so that logging out ends nobody else's. */
async function throwaway(f: Fixture, kind: CallerKind): Promise<Pick<Sent, "headers">> {
  const whose: Partial<Record<CallerKind, CallerKind>> = { ownersReadToken: "owner", ownersPublishToken: "owner" };
  const actor = f.callers[kind === "adminsReadToken" ? "admin" : (whose[kind] ?? kind)];
  if (actor.token === undefined || kind === "revoked") return {};
  const { secret } = await succeeds(actor, "POST", "/api/v1/tokens", { name: "to log out" });
  return { headers: { authorization: `Bearer ${String(secret)}` } };
}

const organisations: Readonly<Record<string, RouteRow>> = {
  "GET /api/v1/orgs": self(
    at(() => `${api}/orgs`),
    users.filter((kind) => kind !== "ownersPublishToken"),
  ),
  "POST /api/v1/orgs": self(
    at(
      () => `${api}/orgs`,
      (f) => ({ name: f.name("new") }),
    ),
    ["stranger", "admin"],
  ),
  "GET /api/v1/orgs/{org}": inOrg(members, onOrg("")),
  "PATCH /api/v1/orgs/{org}": inOrg(
    owners,
    onOrg("", () => ({ title: "The organisation" })),
  ),
  "DELETE /api/v1/orgs/{org}": inOrg(
    owners.filter((kind) => kind === "admin"),
    async (f) => {
      const name = await f.lent("org", async () => {
        const made = f.name("gone");
        await succeeds(f.callers.admin, "POST", `${api}/orgs`, { name: made });
        return made;
      });
      return { path: `${api}/orgs/${name}` };
    },
    { ...spending, expects: { ownersPublishToken: "denied", ownersReadToken: "denied" }, sees: ["adminsReadToken"] },
  ),
  "GET /api/v1/orgs/{org}/members": inOrg(members, onOrg("/members")),
  "PUT /api/v1/orgs/{org}/members/{username}": inOrg(owners, async (f) => ({
    path: `${api}/orgs/${f.org}/members/${await account(f)}`,
    json: { role: "reader" },
  })),
  "DELETE /api/v1/orgs/{org}/members/{username}": inOrg(
    owners,
    async (f) => ({ path: `${api}/orgs/${f.org}/members/${await member(f)}` }),
    spending,
  ),
  "GET /api/v1/orgs/{org}/service-accounts": inOrg(members, onOrg("/service-accounts")),
  "POST /api/v1/orgs/{org}/service-accounts": inOrg(
    owners,
    onOrg("/service-accounts", (f) => ({ username: f.name("robot") })),
  ),
  "DELETE /api/v1/orgs/{org}/service-accounts/{username}": inOrg(
    owners,
    async (f) => ({ path: `${api}/orgs/${f.org}/service-accounts/${await robot(f)}` }),
    spending,
  ),
  "GET /api/v1/orgs/{org}/teams": inOrg(members, onOrg("/teams")),
  "POST /api/v1/orgs/{org}/teams": inOrg(
    owners,
    onOrg("/teams", () => ({ name: `team-${counter()}` })),
  ),
  "GET /api/v1/orgs/{org}/teams/{team}": inOrg(members, onOrg("/teams/core")),
  "PATCH /api/v1/orgs/{org}/teams/{team}": inOrg(
    owners,
    onOrg("/teams/core", () => ({ description: "The core" })),
  ),
  "DELETE /api/v1/orgs/{org}/teams/{team}": inOrg(
    owners,
    async (f) => {
      const name = await f.lent("team", async () => {
        const made = `team-${counter()}`;
        await succeeds(f.callers.admin, "POST", `${api}/orgs/${f.org}/teams`, { name: made });
        return made;
      });
      return { path: `${api}/orgs/${f.org}/teams/${name}` };
    },
    spending,
  ),
  "PUT /api/v1/orgs/{org}/teams/{team}/members/{username}": inOrg(owners, async (f) => ({
    path: `${api}/orgs/${f.org}/teams/core/members/${await member(f)}`,
  })),
  "DELETE /api/v1/orgs/{org}/teams/{team}/members/{username}": inOrg(owners, async (f) => {
    const path = `${api}/orgs/${f.org}/teams/core/members/${await member(f)}`;
    await succeeds(f.callers.admin, "PUT", path);
    return { path };
  }),
};

const analytics: Readonly<Record<string, RouteRow>> = {
  "GET /api/v1/analytics/popular": page(`${api}/analytics/popular`),
  "GET /api/v1/analytics/metrics": page(`${api}/analytics/metrics`),
  "GET /api/v1/analytics/trending": page(`${api}/analytics/trending`),
  "GET /api/v1/analytics/searches": admins(at(() => `${api}/analytics/searches`)),
  "GET /api/v1/analytics/plugins/{name}": read(at((f) => `${api}/analytics/plugins/${f.secret}`)),
  "GET /api/v1/analytics/plugins/{name}/dependents": read(at((f) => `${api}/analytics/plugins/${f.secret}/dependents`)),
};

const federation: Readonly<Record<string, RouteRow>> = {
  "GET /api/v1/auth/oidc": page(`${api}/auth/oidc`),
  // This registry has no provider, which everybody is told; a credential is beside the point.
  "GET /api/v1/auth/oidc/login": { ...always("missing"), ask: at(() => `${api}/auth/oidc/login`) },
  "GET /api/v1/auth/oidc/callback": {
    ...always("unauthenticated"),
    ask: at(() => `${api}/auth/oidc/callback?code=none&state=none`),
  },
  "POST /api/v1/auth/oidc/token": {
    ...always("unauthenticated"),
    ask: at(
      () => `${api}/auth/oidc/token`,
      (f) => ({ id_token: "none", plugin: f.secret }),
    ),
  },
  "GET /api/v1/trusted-publishers": self(at(() => `${api}/trusted-publishers`)),
  "POST /api/v1/trusted-publishers": self(
    at(
      () => `${api}/trusted-publishers`,
      (f) => ({
        plugin: f.secret,
        issuer: "https://nobody.example",
        claims: { sub: "x" },
      }),
    ),
  ),
  "DELETE /api/v1/trusted-publishers/{id}": {
    lets: [],
    refusal: "hidden",
    sees: users.filter((kind) => kind.endsWith("Token")),
    ask: at(() => `${api}/trusted-publishers/00000000-0000-0000-0000-000000000000`),
  },
};

const noDeadLetter = (rest = ""): RouteRow => ({
  ...admins(at(() => `${api}/admin/dead-letters/no-such${rest}`)),
  lets: [],
  expects: { admin: "missing" },
});

const events: Readonly<Record<string, RouteRow>> = {
  "GET /api/v1/admin/events": admins(at(() => `${api}/admin/events`)),
  "POST /api/v1/admin/events/replay": admins(
    at(
      () => `${api}/admin/events/replay`,
      () => ({ since: new Date().toISOString() }),
    ),
  ),
  "GET /api/v1/admin/dead-letters": admins(at(() => `${api}/admin/dead-letters`)),
  "GET /api/v1/admin/dead-letters/{id}": noDeadLetter(),
  "DELETE /api/v1/admin/dead-letters/{id}": noDeadLetter(),
  "POST /api/v1/admin/dead-letters/{id}/retry": noDeadLetter("/retry"),
  "POST /api/v1/admin/rebuild": admins(
    at(
      () => `${api}/admin/rebuild`,
      () => ({ projection: "search" }),
    ),
  ),
  "GET /api/v1/admin/rebuild/search": admins(at(() => `${api}/admin/rebuild/search`)),
  "GET /api/v1/admin/rebuild/analytics": admins(at(() => `${api}/admin/rebuild/analytics`)),
};

const audit: Readonly<Record<string, RouteRow>> = {
  "GET /api/v1/audit": admins(at(() => `${api}/audit`)),
  "GET /api/v1/audit/head": admins(at(() => `${api}/audit/head`)),
};

const changes: Readonly<Record<string, RouteRow>> = {
  "GET /api/v1/changes": page(`${api}/changes`),
};

/** Where nothing is ever sent to. */
const nowhere = "https://receiver.invalid/";
const scopedTokens = users.filter((kind) => kind.endsWith("Token"));

/** A webhook of the organisation, for one caller to use up. */
function hook(f: Fixture): Promise<string> {
  return f.lent("webhook", async () => {
    const made = await succeeds(f.callers.admin, "POST", `${api}/webhooks`, { url: nowhere, organisation: f.org });
    return String(made.id);
  });
}

/** Of an organisation, whose other members know nothing of it; credentials with scopes are told that they may not. */
const onHook = (rest = "", json?: unknown, more: Partial<RouteRow> = {}): RouteRow => ({
  lets: maintainers,
  refusal: "hidden",
  sees: scopedTokens,
  ask: async (f) => ({ path: `${api}/webhooks/${await hook(f)}${rest}`, ...(json === undefined ? {} : { json }) }),
  ...more,
});

const webhooks: Readonly<Record<string, RouteRow>> = {
  "GET /api/v1/webhooks": self(at(() => `${api}/webhooks`)),
  "POST /api/v1/webhooks": self(
    at(
      () => `${api}/webhooks`,
      () => ({ url: nowhere }),
    ),
  ),
  "GET /api/v1/webhooks/{id}": onHook(),
  "PATCH /api/v1/webhooks/{id}": onHook("", { description: "Told to the team" }),
  "DELETE /api/v1/webhooks/{id}": onHook("", undefined, spending),
  "POST /api/v1/webhooks/{id}/rotate": onHook("/rotate"),
  "POST /api/v1/webhooks/{id}/test": onHook("/test"),
  "GET /api/v1/webhooks/{id}/deliveries": onHook("/deliveries"),
  "POST /api/v1/webhooks/{id}/deliveries/{delivery}/redeliver": {
    ...onHook(),
    ask: async (f) => {
      const id = await hook(f);
      const ping = await f.lent("ping", () => succeeds(f.callers.admin, "POST", `${api}/webhooks/${id}/test`));
      return { path: `${api}/webhooks/${id}/deliveries/${String(ping.id)}/redeliver` };
    },
  },
};

/** A row for every route of the OpenAPI document. */
export const routeRows: Readonly<Record<string, RouteRow>> = {
  ...system,
  ...plugins,
  ...releases,
  ...accounts,
  ...organisations,
  ...analytics,
  ...federation,
  ...audit,
  ...events,
  ...changes,
  ...webhooks,
};
