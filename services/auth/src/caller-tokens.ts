import { createHash } from "node:crypto";
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";

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

/** Signed tokens as callers hold them: JWT, HS256, under the secret key itself. */
export class CallerTokens {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  sign(
    user: { readonly id: number; readonly username: string },
    jti: string,
    issued: Date,
    expires: Date,
  ): Promise<string> {
    return new SignJWT({ user_id: user.id, username: user.username })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuedAt(issued)
      .setExpirationTime(expires)
      .setJti(jti)
      .sign(this.#key);
  }

  /** @returns undefined where the token does not hold, for whatever reason */
  async verify(token: string, now: Date): Promise<CallerToken | undefined> {
    const payload = await this.#payloadOf(token, now);
    const { user_id: userId, username, exp, iat } = payload ?? {};
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

  async #payloadOf(token: string, now: Date): Promise<JWTPayload | undefined> {
    try {
      const options = { algorithms: ["HS256"], requiredClaims: ["exp"], currentDate: now };
      return (await jwtVerify(token, this.#key, options)).payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}
