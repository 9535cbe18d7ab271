import { clientForm, type Form, multipart, type Part, packagePart } from "../builders/form.ts";
import { type Answer, exchange, type Sent } from "./http.ts";

export interface PublishOptions {
  /** Further form fields: version, visibility, channel, sha256. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Text of the manifest part. */
  readonly manifest?: string;
  /** Beside those that the form needs. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** AgentiCraft's Python client sends these with everything, the download too. */
const clientHeaders = {
  "user-agent": "AgentiCraft-Registry-Client/1.0",
  accept: "application/json",
  "accept-encoding": "gzip, deflate",
};

/** Somebody at one gateway, with or without a credential. Each method is one request and hands back its answer. */
export class Actor {
  readonly username: string;
  /** `http://host:port` of the gateway that this actor talks to. */
  readonly gateway: string;
  readonly token: string | undefined;

  constructor(username: string, gateway: string, token?: string) {
    this.username = username;
    this.gateway = gateway;
    this.token = token;
  }

  /** The same person at another gateway. */
  at(gateway: string): Actor {
    return new Actor(this.username, gateway, this.token);
  }

  /** The same person with another credential. */
  with(token: string): Actor {
    return new Actor(this.username, this.gateway, token);
  }

  /** Somebody else at the same gateway. */
  as(username: string, token: string): Actor {
    return new Actor(username, this.gateway, token);
  }

  /** Somebody without a credential at the same gateway. */
  get anonymously(): Actor {
    return new Actor("", this.gateway);
  }

  /** @param path below the gateway's root, or a whole address */
  request(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    const authorization: Record<string, string> =
      this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
    const url = new URL(path, this.gateway).href;
    return exchange(method, url, { ...sent, headers: { ...authorization, ...sent.headers } });
  }

  gets(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.request("GET", path, { headers });
  }

  sends(method: string, path: string, json: unknown): Promise<Answer> {
    return this.request(method, path, { json });
  }

  sendsForm(path: string, form: Form): Promise<Answer> {
    return this.request("POST", path, form);
  }

  publishes(bytes: Uint8Array, options?: PublishOptions): Promise<Answer> {
    return this.sendsForm("/api/v1/plugins", publishForm(bytes, options));
  }

  /** Asks what would come of a publish. */
  tries(bytes: Uint8Array, options?: PublishOptions): Promise<Answer> {
    return this.sendsForm("/api/v1/plugins?dry_run=true", publishForm(bytes, options));
  }

  /** As AgentiCraft's Python client does. */
  publishesAsClient(bytes: Uint8Array, manifest: string): Promise<Answer> {
    const { body, headers } = clientForm(bytes, manifest);
    return this.request("POST", "/api/v1/plugins/publish", { body, headers: { ...clientHeaders, ...headers } });
  }

  asksAsClient(path: string): Promise<Answer> {
    return this.gets(`/api/v1/${path}`, clientHeaders);
  }

  finds(query: Readonly<Record<string, string>> | string): Promise<Answer> {
    return this.gets(`/api/v1/plugins?${new URLSearchParams(query)}`);
  }

  searches(query: Readonly<Record<string, string>>): Promise<Answer> {
    return this.gets(`/api/v1/search?${new URLSearchParams(query)}`);
  }

  reads(name: string, version?: string): Promise<Answer> {
    const query = version === undefined ? "" : `?${new URLSearchParams({ version })}`;
    return this.gets(`/api/v1/plugins/${name}${query}`);
  }

  asksForUrl(name: string, version?: string): Promise<Answer> {
    const query = version === undefined ? "" : `?${new URLSearchParams({ version })}`;
    return this.gets(`/api/v1/plugins/${name}/download${query}`);
  }

  /** The immutable address. */
  fetches(
    name: string,
    version: string,
    container = "zip",
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    return this.gets(immutablePath(name, version, container), headers);
  }

  /** tar.gz below `{name}/`. */
  downloads(name: string, version: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.gets(`/api/v1/plugins/${name}/download/${version}`, headers);
  }

  updates(name: string, change: object): Promise<Answer> {
    return this.sends("PATCH", `/api/v1/plugins/${name}`, change);
  }

  deletes(name: string, version?: string): Promise<Answer> {
    const path = version === undefined ? "" : `/versions/${version}`;
    return this.request("DELETE", `/api/v1/plugins/${name}${path}`);
  }

  movesChannel(name: string, channel: string, version: string): Promise<Answer> {
    return this.sends("PUT", `/api/v1/plugins/${name}/channels/${channel}`, { version });
  }

  yanks(name: string, version: string, reason?: string): Promise<Answer> {
    const path = `/api/v1/plugins/${name}/versions/${version}/yank`;
    return reason === undefined ? this.request("PUT", path) : this.sends("PUT", path, { reason });
  }

  unyanks(name: string, version: string): Promise<Answer> {
    return this.request("DELETE", `/api/v1/plugins/${name}/versions/${version}/yank`);
  }

  /** @param version of one release; without it, the whole plugin */
  deprecates(name: string, why: { message?: string; successor?: string }, version?: string): Promise<Answer> {
    return this.sends("PUT", deprecationPath(name, version), why);
  }

  undeprecates(name: string, version?: string): Promise<Answer> {
    return this.request("DELETE", deprecationPath(name, version));
  }

  /** Of administrators and reviewers. */
  decides(name: string, version: string, decision: string, reason: string): Promise<Answer> {
    return this.sends("POST", `/api/v1/plugins/${name}/versions/${version}/review`, { decision, reason });
  }

  /** Of administrators and reviewers. */
  asksWhatWaits(): Promise<Answer> {
    return this.gets("/api/v1/admin/reviews?limit=500");
  }

  /** @param otp of the second factor */
  logsIn(username: string, password: string, otp?: string): Promise<Answer> {
    return this.sends("POST", "/api/v1/auth/login", { username, password, otp });
  }

  /** @param more addresses, read_only, expires_in_days, username */
  createsToken(name: string, scopes: readonly string[] = [], more: object = {}): Promise<Answer> {
    return this.sends("POST", "/api/v1/tokens", { name, scopes, ...more });
  }

  /** Of administrators. */
  createsUser(user: { username: string; password: string; role: string; grants?: readonly string[] }): Promise<Answer> {
    return this.sends("POST", "/api/v1/users", { email: `${user.username}@example.org`, ...user });
  }

  /** Of administrators. */
  changesUser(username: string, change: object): Promise<Answer> {
    return this.sends("PATCH", `/api/v1/users/${username}`, change);
  }

  createsOrganisation(organisation: { name: string; title?: string; description?: string }): Promise<Answer> {
    return this.sends("POST", "/api/v1/orgs", organisation);
  }

  setsMember(org: string, username: string, role: string): Promise<Answer> {
    return this.sends("PUT", `/api/v1/orgs/${org}/members/${username}`, { role });
  }

  removesMember(org: string, username: string): Promise<Answer> {
    return this.request("DELETE", `/api/v1/orgs/${org}/members/${username}`);
  }

  createsTeam(org: string, team: { name: string; role?: string; groups?: readonly string[] }): Promise<Answer> {
    return this.sends("POST", `/api/v1/orgs/${org}/teams`, team);
  }

  addsToTeam(org: string, team: string, username: string): Promise<Answer> {
    return this.request("PUT", `/api/v1/orgs/${org}/teams/${team}/members/${username}`);
  }

  createsServiceAccount(org: string, username: string): Promise<Answer> {
    return this.sends("POST", `/api/v1/orgs/${org}/service-accounts`, { username });
  }
}

/** Path of the immutable bytes of a plugin without a namespace. */
export function immutablePath(name: string, version: string, container = "zip"): string {
  return `/plugins/${name}/${version}/${name}-${version}.${container}`;
}

function deprecationPath(name: string, version: string | undefined): string {
  return `/api/v1/plugins/${name}${version === undefined ? "" : `/versions/${version}`}/deprecate`;
}

function publishForm(bytes: Uint8Array, { fields = {}, manifest, headers }: PublishOptions = {}): Form {
  const texts: Part[] = Object.entries(fields).map(([field, content]) => ({ field, content }));
  const beside: Part[] =
    manifest === undefined ? [] : [{ field: "manifest", content: manifest, filename: "plugin.yaml" }];
  const form = multipart([...texts, ...beside, packagePart(bytes)]);
  return { ...form, headers: { ...form.headers, ...headers } };
}
