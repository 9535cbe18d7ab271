import { createHash } from "node:crypto";
import { unauthenticated, unavailable } from "@registry/domain";
import type { Logger } from "@registry/kit";
import { callProvider } from "./bounded-fetch.ts";
import type { IdToken, Issuer } from "./issuer.ts";
import { Refused } from "./refused.ts";

/** This registry at the provider. */
export interface Client {
  readonly id: string;
  readonly secret: string;
  readonly scopes: string;
}

/** What one sign-in is recognised by; the browser keeps it sealed. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE. */
  readonly verifier: string;
  readonly redirectUri: string;
}

/** The authorization code flow with PKCE at one provider. */
export class SignIn {
  readonly issuer: Issuer;
  readonly #client: Client;
  readonly #log: Logger;

  constructor(issuer: Issuer, client: Client, log: Logger) {
    this.issuer = issuer;
    this.#client = client;
    this.#log = log;
  }

  /** Where the browser is sent to. */
  async addressFor(attempt: Attempt): Promise<string> {
    const address = new URL(needed((await this.issuer.metadata()).authorizationEndpoint, "authorization_endpoint"));
    const parameters = {
      response_type: "code",
      client_id: this.#client.id,
      redirect_uri: attempt.redirectUri,
      scope: this.#client.scopes,
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: createHash("sha256").update(attempt.verifier).digest("base64url"),
      code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    return address.href;
  }

  /** Whether the callback comes from this provider, where it says from whom it comes. */
  async isNamedBy(issuer: string | undefined): Promise<boolean> {
    if (issuer !== undefined) return issuer === this.issuer.url;
    return !(await this.issuer.metadata()).namesItself;
  }

  /**
   * Trades the code for what the provider says of whoever signed in.
   * @param wanted claims for which the provider is asked once more where the ID token lacks them
   * @throws Refused; kind `unauthenticated` where the code is none; kind `unavailable` where the provider is away
   */
  async redeem(
    code: string,
    attempt: Attempt,
    wanted: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly subject: string; readonly claims: Readonly<Record<string, unknown>> }> {
    const tokens = await this.#tokensFor(code, attempt, signal);
    const idToken = tokens.id_token;
    if (typeof idToken !== "string") throw new Refused("the provider gave no ID token");
    const claims = await this.issuer.verify(idToken, this.#client.id);
    this.#check(claims, attempt);
    const isComplete = wanted.every((name) => claims[name] !== undefined);
    const more = isComplete ? {} : await this.#userinfo(tokens.access_token, claims.sub, signal);
    return { subject: claims.sub, claims: { ...more, ...claims } };
  }

  #check({ aud, azp, nonce }: IdToken, attempt: Attempt): void {
    if (nonce !== attempt.nonce) throw new Refused("nonce: it was made for another sign-in");
    if (azp !== undefined && azp !== this.#client.id) throw new Refused("azp: it was given to another client");
    if (Array.isArray(aud) && aud.length > 1 && azp === undefined) throw new Refused("azp: it is missing");
  }

  async #tokensFor(code: string, attempt: Attempt, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const { tokenEndpoint, secretInForm } = await this.issuer.metadata();
    const { id, secret } = this.#client;
    const form = new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: attempt.redirectUri,
      code_verifier: attempt.verifier,
      ...(secretInForm ? { client_id: id, client_secret: secret } : {}),
    });
    const headers: Record<string, string> = secretInForm ? {} : { authorization: basic(id, secret) };
    const address = needed(tokenEndpoint, "token_endpoint");
    const { status, body } = await callProvider(address, { method: "POST", body: form, headers }, signal);
    if (status === 200 && body !== undefined) return body;
    if (body?.error === "invalid_grant") throw unauthenticated();
    // What is left is a matter between the operator and the provider, e.g. another secret.
    this.#log.error({ status, reason: String(body?.error ?? "").slice(0, 64) }, "the identity provider refused a code");
    throw unavailable("The identity provider");
  }

  /** Nothing where there is no such endpoint. One that does not answer must not look like somebody without groups. */
  async #userinfo(
    accessToken: unknown,
    subject: string,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { userinfoEndpoint } = await this.issuer.metadata();
    if (userinfoEndpoint === undefined || typeof accessToken !== "string") return {};
    const headers = { authorization: `Bearer ${accessToken}` };
    const { status, body } = await callProvider(userinfoEndpoint, { headers }, signal);
    if (status !== 200 || body === undefined) {
      this.#log.error({ status }, "the identity provider's userinfo endpoint gave no JSON");
      throw unavailable("The identity provider");
    }
    if (body.sub !== subject) throw new Refused("sub: the userinfo is somebody else's");
    return body;
  }
}

function needed(endpoint: string | undefined, name: string): string {
  if (endpoint !== undefined) return endpoint;
  throw unavailable("The identity provider", new Error(`its discovery document has no usable ${name}`));
}

/** Both parts are encoded as in a form first (RFC 6749, 2.3.1). */
function basic(id: string, secret: string): string {
  const encoded = [id, secret].map((text) => new URLSearchParams({ x: text }).toString().slice(2)).join(":");
  return `Basic ${Buffer.from(encoded).toString("base64")}`;
}
