import { setting } from "@registry/kit";
import { federationSettings } from "./federation/config.ts";
import { registrationRoles } from "./model/user.ts";

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
  ...federationSettings,
};
