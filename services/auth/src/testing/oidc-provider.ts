import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

/** Somebody whom the provider knows, by what they type as their login. */
export interface Account {
  readonly [claim: string]: unknown;
}

export interface TestProvider {
  /** As its tokens name it. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Everybody who can sign in, by `sub`; changes hold from the next sign-in on. */
  readonly accounts: Map<string, Account>;
  close(): Promise<void>;
}

export interface TestProviderOptions {
  /** Whether ID tokens say everything, so that nobody has to ask the userinfo endpoint. Default false. */
  readonly wholeIdTokens?: boolean;
  /** Default client_secret_basic. */
  readonly clientAuthentication?: "client_secret_basic" | "client_secret_post";
}

/** Any port of this machine will do: the provider treats the client as an app of the user's own. */
const callback = "http://127.0.0.1/api/v1/auth/oidc/callback";
/** With what URLs and forms encode otherwise. */
const clientSecret = "a secret: of the client+50% & more";
const clientId = "registry of tests";

/** A real identity provider on a free port, with its own pages for login and consent. */
export async function startProvider(options: TestProviderOptions = {}): Promise<TestProvider> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const accounts = new Map<string, Account>();
  const method = options.clientAuthentication ?? "client_secret_basic";
  const provider = new Provider(issuer, {
    jwks: { keys: [await signingKey("provider-1")] },
    cookies: { keys: ["cookies of tests"] },
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        application_type: "native",
        redirect_uris: [callback],
        response_types: ["code"],
        grant_types: ["authorization_code"],
        token_endpoint_auth_method: method,
      },
    ],
    clientAuthMethods: [method],
    scopes: ["openid", "profile", "email", "groups"],
    claims: {
      openid: ["sub"],
      profile: ["preferred_username", "name"],
      email: ["email", "email_verified"],
      groups: ["groups"],
    },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    conformIdTokenClaims: options.wholeIdTokens !== true,
    findAccount: async (_context, id) => {
      const account = accounts.get(id);
      return account === undefined ? undefined : { accountId: id, claims: async () => ({ ...account, sub: id }) };
    },
  });
  server.on("request", provider.callback());
  return {
    issuer,
    clientId,
    clientSecret,
    accounts,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function signingKey(kid: string) {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" };
}

const steps = 12;

/**
 * What a person's browser does at the provider: follows its redirects, keeps its cookies, fills in its forms.
 * @param login typed into the login form; undefined for somebody who turns back there
 * @returns where the provider sends the browser in the end: the registry's callback with a query
 */
export async function visitProvider(authorizationUrl: string, login: string | undefined): Promise<string> {
  const { origin } = new URL(authorizationUrl);
  const cookies = new Map<string, string>();
  let address = authorizationUrl;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < steps; step++) {
    const response = await fetch(address, {
      redirect: "manual",
      method: form === undefined ? "GET" : "POST",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form === undefined ? {} : { body: form }),
      signal: AbortSignal.timeout(10_000),
    });
    const page = await response.text();
    for (const cookie of response.headers.getSetCookie()) keep(cookies, cookie);
    const location = response.headers.get("location");
    if (location === null) [address, form] = fillIn(page, response, login);
    else [address, form] = [new URL(location, address).href, undefined];
    if (new URL(address).origin !== origin) return address;
  }
  throw new Error(`the provider did not come to an end within ${steps} pages`);
}

function keep(cookies: Map<string, string>, header: string): void {
  const [, name = "", value = ""] = /^([^=;]+)=([^;]*)/.exec(header) ?? [];
  if (value === "") cookies.delete(name);
  else cookies.set(name, value);
}

function fillIn(page: string, response: Response, login: string | undefined): [string, URLSearchParams | undefined] {
  const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
  const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
  if (action === undefined || prompt === undefined) {
    throw new Error(`the provider answered ${response.status}: ${page.replace(/<[^>]+>/g, " ").slice(0, 500)}`);
  }
  if (login === undefined) return [`${action}/abort`, undefined];
  return [action, new URLSearchParams({ prompt, login, password: "any" })];
}
