import { setting } from "@registry/kit";
import { federationSettings } from "./federation/config.ts";
import { registrationRoles } from "./model/user.ts";

const limit = (description: string, fallback: number) =>
  setting.integer({
    description: `${description}, exact over all replicas; 0 for no limit`,
    fallback,
    min: 0,
    max: 10_000_000,
  });

export const authSettings = {
  REGISTRATION: setting.oneOf(["closed", "open"], {
    description: "open lets anybody register; closed leaves new users to administrators",
    fallback: "closed",
  }),
  REGISTRATION_ROLE: setting.oneOf(registrationRoles, {
    description: "Role of those who registered themselves: user or publisher",
    fallback: "user",
  }),
  ORGANISATION_CREATION: setting.oneOf(["publishers", "admins", "users"], {
    description: "Who may create organisations: admins, publishers (and administrators), or all users",
    fallback: "publishers",
  }),
  TOKEN_LIFETIME_DAYS: setting.integer({
    description: "Days until the token of a login ends, 1 to 365",
    fallback: 30,
    min: 1,
    max: 365,
  }),
  JWT_ALGORITHM: setting.oneOf(["HS256", "EdDSA"], {
    description: "HS256 signs the tokens of logins with SECRET_KEY, EdDSA with keys of auth's own, published as a JWKS",
    fallback: "HS256",
  }),
  JWT_ISSUER: setting.text({
    description:
      "iss and aud of the tokens of logins: always there with EdDSA, compared where they are there with HS256",
    fallback: "agenticraft-registry",
    pattern: /^[\x21-\x7e]{1,200}$/,
    expects: "1 to 200 printable ASCII characters without spaces",
  }),
  JWT_ROTATION_DAYS: setting.integer({
    description: "Days after which EdDSA signs with a new key; the old one verifies until its tokens have ended",
    fallback: 30,
    min: 1,
    max: 365,
  }),
  RATE_LIMIT_LOGINS: limit("Passwords tried, right or wrong, per minute and address", 20),
  RATE_LIMIT_REGISTRATIONS: limit("Registrations per hour and address", 20),
  RATE_LIMIT_TOKENS: limit("API tokens created per hour and user", 60),
  RATE_LIMIT_FAILED_CREDENTIALS: limit(
    "Tokens that do not hold, and apart from them passwords, per minute and address, until those that do not hold are answered 429",
    60,
  ),
  RATE_LIMIT_REPORTS: limit("Reports of leaked secrets per hour and address", 60),
  ...federationSettings,
  AUDIT_HEAD_SECONDS: setting.integer({
    description: "Seconds between two signatures under the end of the audit log, 1 to 86400",
    fallback: 60,
    min: 1,
    max: 86_400,
  }),
};
