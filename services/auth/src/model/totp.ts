import { RegistryError } from "@registry/domain";
import { Secret, TOTP } from "otpauth";

/** A second factor: RFC 6238 with SHA-1, six digits and steps of 30 s, as every authenticator app has it. */
export type Totp = {
  /** The secret, sealed for its user. */
  readonly sealed: string;
  readonly enabledAt: Date;
  /** Step of the code that was taken last: no code is taken twice, nor an older one after it. */
  readonly lastStep: number;
};

export type PendingTotp = {
  readonly sealed: string;
  readonly at: Date;
};

/** As RFC 4226 recommends. */
export const totpSecretBytes = 20;
const period = 30;
/** Clocks may be one step apart. */
const window = 1;
const pendingMs = 15 * 60_000;

/** What the secret is sealed for. */
export const sealPurpose = "totp";
export const sealOwner = (userId: number): string => `user ${userId}`;

export function isPendingStill(pending: PendingTotp, now: Date): boolean {
  return now.getTime() - pending.at.getTime() < pendingMs;
}

function totpOf(secret: Uint8Array): TOTP {
  return new TOTP({ secret: new Secret({ buffer: Uint8Array.from(secret).buffer }), digits: 6, period });
}

/** The two forms in which an authenticator app takes a secret: base32 to type, and a URI to scan. */
export function shownForms(secret: Uint8Array, issuer: string, username: string): { secret: string; uri: string } {
  const totp = totpOf(secret);
  totp.issuer = issuer;
  totp.label = username;
  return { secret: totp.secret.base32, uri: totp.toString() };
}

/** @returns the step whose code it is, at most one from now; undefined for a wrong code */
export function stepOf(secret: Uint8Array, code: string, now: Date): number | undefined {
  const digits = code.replaceAll(" ", "");
  if (!/^\d{6}$/.test(digits)) return undefined;
  const timestamp = now.getTime();
  const delta = totpOf(secret).validate({ token: digits, timestamp, window });
  return delta === null ? undefined : Math.floor(timestamp / 1000 / period) + delta;
}

export const wrongCode = (): RegistryError =>
  new RegistryError(
    "permission_denied",
    "WRONG_OTP",
    "The code is not right, or was used already; wait for the next one",
  );
export const totpNotEnabled = (): RegistryError =>
  new RegistryError("conflict", "TOTP_NOT_ENABLED", "There is no second factor");
