import { createHash, type KeyObject } from "node:crypto";
import { errors, type JWTHeaderParameters, type JWTPayload, jwtVerify, SignJWT } from "jose";

/** What a signed token of a caller says, after its signature and expiry held. */
export interface CallerToken {
  readonly userId: number;
  readonly username: string;
  readonly expiresAt: Date;
  /** Absent in tokens that another holder of the key made without it. */
  readonly issuedAt?: Date;
  /** What it is revoked by: a hash of exactly what is signed, so no other spelling of the token escapes. */
  readonly key: string;
}

/** Where the keys of signed tokens come from. One algorithm, whatever a token says of itself. */
export interface TokenKeys {
  readonly algorithm: "HS256" | "EdDSA";
  /** What to sign with now; without an id where there is only one key. */
  signing(): Promise<{ readonly key: Uint8Array | KeyObject; readonly kid?: string }>;
  /** @returns undefined where no token with that key id, or without any, is ours */
  verifying(kid: string | undefined): Promise<Uint8Array | KeyObject | undefined>;
}

/** The secret that every holder of `SECRET_KEY` signs with. Such tokens name no key. */
export function sharedSecret(key: Uint8Array): TokenKeys {
  return {
    algorithm: "HS256",
    signing: async () => ({ key }),
    verifying: async (kid) => (kid === undefined ? key : undefined),
  };
}

/** Parameters by which a token would choose its own key or rules; there is no honest use for them here. */
const refusedParameters = ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64"];

/** Signed tokens as callers hold them: JWT, in the algorithm of the keys. */
export class CallerTokens {
  readonly #keys: TokenKeys;
  readonly #issuer: string;

  /** @param issuer `iss` and `aud`: said with EdDSA, and compared with whatever a token says */
  constructor(keys: TokenKeys, issuer: string) {
    this.#keys = keys;
    this.#issuer = issuer;
  }

  async sign(
    user: { readonly id: number; readonly username: string },
    jti: string,
    issued: Date,
    expires: Date,
  ): Promise<string> {
    const { key, kid } = await this.#keys.signing();
    const alg = this.#keys.algorithm;
    const token = new SignJWT({ user_id: user.id, username: user.username })
      .setProtectedHeader({ alg, typ: "JWT", ...(kid === undefined ? {} : { kid }) })
      .setIssuedAt(issued)
      .setExpirationTime(expires)
      .setJti(jti);
    if (this.#saysIssuer) token.setIssuer(this.#issuer).setAudience(this.#issuer);
    return await token.sign(key);
  }

  /** @returns undefined where the token does not hold, for whatever reason */
  async verify(token: string, now: Date): Promise<CallerToken | undefined> {
    const payload = await this.#payloadOf(token, now);
    if (payload === undefined || !this.#isOurs(payload)) return undefined;
    const { user_id: userId, username, exp, iat } = payload;
    if (typeof userId !== "number" || !Number.isSafeInteger(userId) || typeof username !== "string") return undefined;
    const expiresAt = new Date((exp ?? 0) * 1000);
    // Beyond what a Date can hold it could not be kept on the list of revoked tokens.
    if (Number.isNaN(expiresAt.getTime())) return undefined;
    return {
      userId,
      username,
      expiresAt,
      ...(iat === undefined ? {} : { issuedAt: new Date(iat * 1000) }),
      key: createHash("sha256")
        .update(token.slice(0, token.lastIndexOf(".")))
        .digest("hex"),
    };
  }

  /** Other holders of a shared secret make tokens without them. */
  get #saysIssuer(): boolean {
    return this.#keys.algorithm === "EdDSA";
  }

  #isOurs({ iss, aud }: JWTPayload): boolean {
    const issued = iss === undefined ? !this.#saysIssuer : iss === this.#issuer;
    const meant = aud === undefined ? !this.#saysIssuer : [aud].flat().includes(this.#issuer);
    return issued && meant;
  }

  async #payloadOf(token: string, now: Date): Promise<JWTPayload | undefined> {
    try {
      const options = { algorithms: [this.#keys.algorithm], requiredClaims: ["exp"], currentDate: now };
      return (await jwtVerify(token, (header: JWTHeaderParameters) => this.#keyFor(header), options)).payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  async #keyFor(header: JWTHeaderParameters): Promise<Uint8Array | KeyObject> {
    const { kid } = header;
    const strange = refusedParameters.some((name) => Object.hasOwn(header, name));
    if (strange || (kid !== undefined && typeof kid !== "string")) throw new errors.JWSInvalid();
    const key = await this.#keys.verifying(kid);
    if (key === undefined) throw new errors.JWSInvalid();
    return key;
  }
}
