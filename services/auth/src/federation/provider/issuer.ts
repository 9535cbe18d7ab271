import { unavailable } from "@registry/domain";
import type { Clock } from "@registry/kit";
import { createLocalJWKSet, errors, type JWTPayload, type JWTVerifyResult, jwtVerify } from "jose";
import { mayBeCalled } from "../model/issuer-url.ts";
import { callProvider } from "./bounded-fetch.ts";
import { Kept } from "./kept.ts";
import { Refused } from "./refused.ts";

/** The part of a discovery document that the registry uses. */
export interface Metadata {
  readonly jwksUri: string;
  readonly authorizationEndpoint: string | undefined;
  readonly tokenEndpoint: string | undefined;
  readonly userinfoEndpoint: string | undefined;
  /** Whether callbacks name the issuer (RFC 9207). */
  readonly namesItself: boolean;
  /** Whether the token endpoint takes the secret in the form only. */
  readonly secretInForm: boolean;
}

/** A token that was verified, with what every ID token has. */
export type IdToken = JWTPayload & { readonly sub: string; readonly exp: number; readonly iat: number };

/** Keys that can only verify: with the others, whoever knows a public key could sign. */
const algorithms = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];
/** By how many seconds clocks may differ. */
export const leewaySeconds = 30;
const metadataMs = 60 * 60_000;
const keysMs = 10 * 60_000;
/** Unknown keys make it ask anew at most this often, so that made-up ones do not become a flood of questions. */
const cooldownMs = 30_000;
const maxKeys = 100;

type KeySet = ReturnType<typeof createLocalJWKSet>;

/** One issuer of ID tokens: what its discovery document says, its keys, and whether a token is its own. */
export class Issuer {
  readonly url: string;
  readonly #clock: Clock;
  readonly #metadata: Kept<Metadata>;
  readonly #keys: Kept<KeySet>;

  /** @param url as its tokens name it */
  constructor(url: string, clock: Clock) {
    this.url = url;
    this.#clock = clock;
    this.#metadata = new Kept(clock, metadataMs, () => readMetadata(url));
    this.#keys = new Kept(clock, keysMs, async () => readKeys((await this.#metadata.get()).jwksUri));
  }

  /** @throws kind `unavailable`, reason `UNAVAILABLE` */
  metadata(): Promise<Metadata> {
    return this.#metadata.get();
  }

  /**
   * @param audience the one that the token must be for
   * @throws Refused; kind `unavailable` where the issuer cannot be asked for its keys
   */
  async verify(token: string, audience: string): Promise<IdToken> {
    const keys = await this.#keys.get();
    const { payload, protectedHeader } = await this.#verifyWith(keys, token, audience).catch(async (error: unknown) => {
      const fresh = error instanceof errors.JWKSNoMatchingKey ? await this.#keys.get(cooldownMs) : keys;
      if (fresh === keys) throw refused(error);
      return this.#verifyWith(fresh, token, audience).catch((again: unknown) => Promise.reject(refused(again)));
    });
    const { sub, exp, iat } = payload;
    if (!/^jwt$/i.test(protectedHeader.typ ?? "jwt")) throw new Refused("typ: it is no ID token");
    if (sub === undefined || sub === "" || sub.length > 255 || exp === undefined || iat === undefined) {
      throw new Refused("sub, exp and iat must all be there");
    }
    if (iat > this.#clock.now().getTime() / 1000 + leewaySeconds) throw new Refused("iat lies in the future");
    return { ...payload, sub, exp, iat };
  }

  #verifyWith(keys: KeySet, token: string, audience: string): Promise<JWTVerifyResult> {
    return jwtVerify(token, keys, {
      issuer: this.url,
      audience,
      algorithms,
      clockTolerance: leewaySeconds,
      currentDate: this.#clock.now(),
      requiredClaims: ["sub", "exp", "iat"],
    });
  }
}

function refused(error: unknown): Refused {
  return new Refused(error instanceof Error ? error.message : "unreadable", { cause: error });
}

async function readMetadata(issuer: string): Promise<Metadata> {
  const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const { status, body } = await callProvider(address, {});
  if (status !== 200 || body?.issuer !== issuer) {
    throw unavailable("The identity provider", new Error(`no discovery document of ${issuer} at ${address}`));
  }
  const endpoint = (name: string): string | undefined => {
    const value = body[name];
    return typeof value === "string" && mayBeCalled(value, issuer) ? value : undefined;
  };
  const jwksUri = endpoint("jwks_uri");
  if (jwksUri === undefined) throw unavailable("The identity provider", new Error(`no jwks_uri of ${issuer}`));
  const methods = body.token_endpoint_auth_methods_supported;
  return {
    jwksUri,
    authorizationEndpoint: endpoint("authorization_endpoint"),
    tokenEndpoint: endpoint("token_endpoint"),
    userinfoEndpoint: endpoint("userinfo_endpoint"),
    namesItself: body.authorization_response_iss_parameter_supported === true,
    secretInForm: Array.isArray(methods) && !methods.includes("client_secret_basic"),
  };
}

async function readKeys(address: string): Promise<KeySet> {
  const { status, body } = await callProvider(address, {});
  const keys = body?.keys;
  if (status !== 200 || !Array.isArray(keys) || keys.length > maxKeys) {
    throw unavailable("The identity provider", new Error(`no keys at ${address}`));
  }
  try {
    return createLocalJWKSet({ keys });
  } catch (error) {
    throw unavailable("The identity provider", error);
  }
}
