import { pluginZip } from "../builders/plugin.ts";
import type { Actor } from "../e2e/actors.ts";
import { password, type World } from "../e2e/world.ts";
import type { CallerKind } from "./row.ts";

/** An organisation with a private plugin, and somebody of every kind. */
export interface Fixture {
  readonly world: World;
  readonly org: string;
  readonly team: string;
  /** `@org/…`, private, with release 1.0.0. */
  readonly secret: string;
  readonly callers: { readonly [kind in CallerKind]: Actor };
  /** A name that nobody has. */
  name(stem: string): string;
  /** Something to use up, the same for each caller until `spend`. */
  lent<T>(key: string, make: () => Promise<T>): Promise<T>;
  spend(): void;
}

export async function createFixture(world: World): Promise<Fixture> {
  const { admin } = world;
  const org = world.name("org");
  const team = "core";
  await succeeds(admin, "POST", "/api/v1/orgs", { name: org });
  const callers = await createCallers(world, org);
  await succeeds(admin, "POST", `/api/v1/orgs/${org}/teams`, { name: team, role: "publisher" });
  const secret = `@${org}/${world.name("secret")}`;
  await publishAs(admin, secret, "1.0.0");
  const lent = new Map<string, Promise<unknown>>();
  return {
    ...{ world, org, team, secret, callers },
    name: (stem) => world.name(stem),
    lent<T>(key: string, make: () => Promise<T>): Promise<T> {
      const known = lent.get(key) ?? make();
      lent.set(key, known);
      return known as Promise<T>;
    },
    spend: () => lent.clear(),
  };
}

async function createCallers(world: World, org: string): Promise<Fixture["callers"]> {
  const { admin, anonymous } = world;
  const member = async (role: string): Promise<Actor> => {
    const actor = await world.user(role);
    await succeeds(admin, "PUT", `/api/v1/orgs/${org}/members/${actor.username}`, { role });
    return actor;
  };
  const owner = await member("owner");
  const stranger = await world.publisher("stranger");
  const revoked = await tokenOf(stranger, []);
  await succeeds(stranger, "DELETE", `/api/v1/tokens/${(await tokenId(stranger)) ?? ""}`);
  const username = world.name("bot");
  await succeeds(owner, "POST", `/api/v1/orgs/${org}/service-accounts`, { username, role: "publisher" });
  const bot = (await succeeds(owner, "POST", "/api/v1/tokens", { name: "bot", username })).secret as string;
  return {
    anonymous,
    revoked,
    user: await world.user("reads"),
    stranger,
    reader: await member("reader"),
    publisher: await member("publisher"),
    maintainer: await member("maintainer"),
    owner,
    ownersReadToken: await tokenOf(owner, ["read", "download"]),
    ownersPublishToken: await tokenOf(owner, [`publish:@${org}/*`]),
    bot: owner.as(username, bot),
    admin,
    adminsReadToken: await tokenOf(admin, ["read", "download"]),
  };
}

async function tokenOf(actor: Actor, scopes: string[]): Promise<Actor> {
  const { secret } = await succeeds(actor, "POST", "/api/v1/tokens", { name: "matrix", scopes });
  return actor.with(secret as string);
}

async function tokenId(actor: Actor): Promise<string | undefined> {
  return (await actor.gets("/api/v1/tokens")).json<{ tokens: { id: string }[] }>().tokens[0]?.id;
}

/** @throws where the answer is no success */
export async function succeeds(
  actor: Actor,
  method: string,
  path: string,
  json?: unknown,
): Promise<Record<string, unknown>> {
  const answer = await actor.request(method, path, json === undefined ? {} : { json });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.text === "" ? {} : answer.json();
}

/** Publishes below a namespace. */
export async function publishAs(actor: Actor, name: string, version: string, visibility = "private"): Promise<void> {
  const base = name.slice(name.indexOf("/") + 1);
  const answer = await actor.publishes(pluginZip({ name: base, version, files: { "CHANGELOG.md": "# Changes\n" } }), {
    fields: { name, visibility },
  });
  if (answer.status !== 201) throw new Error(`publish ${name}: ${answer.status} ${answer.text}`);
}

/** A release of the private plugin for one caller to use up. */
export function release(fixture: Fixture): Promise<string> {
  return fixture.lent("release", async () => {
    const version = `2.0.${counter()}`;
    await publishAs(fixture.callers.admin, fixture.secret, version);
    return version;
  });
}

/** A private plugin of the organisation for one caller to use up. */
export function plugin(fixture: Fixture): Promise<string> {
  return fixture.lent("plugin", async () => {
    const name = `@${fixture.org}/${fixture.name("spare")}`;
    await publishAs(fixture.callers.admin, name, "1.0.0");
    return name;
  });
}

/** A member of the organisation for one caller to use up. */
export function member(fixture: Fixture): Promise<string> {
  return fixture.lent("member", async () => {
    const username = await account(fixture);
    await succeeds(fixture.callers.admin, "PUT", `/api/v1/orgs/${fixture.org}/members/${username}`, { role: "reader" });
    return username;
  });
}

/** A user without any place. */
export function account(fixture: Fixture): Promise<string> {
  return fixture.lent("account", async () => {
    const username = fixture.name("account");
    const user = { username, email: `${username}@example.org`, password, role: "user" };
    await succeeds(fixture.callers.admin, "POST", "/api/v1/users", user);
    return username;
  });
}

/** A service account of the organisation for one caller to use up. */
export function robot(fixture: Fixture): Promise<string> {
  return fixture.lent("robot", async () => {
    const username = fixture.name("robot");
    await succeeds(fixture.callers.admin, "POST", `/api/v1/orgs/${fixture.org}/service-accounts`, { username });
    return username;
  });
}

let last = 0;
/** A number that was not given before. */
export function counter(): number {
  last += 1;
  return last;
}
