import { setting } from "@registry/kit";
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
  TOKEN_LIFETIME_DAYS: setting.integer({
    description: "Days until the token of a login ends, 1 to 365",
    fallback: 30,
    min: 1,
    max: 365,
  }),
  AUDIT_HEAD_SECONDS: setting.integer({
    description: "Seconds between two signatures under the end of the audit log, 1 to 86400",
    fallback: 60,
    min: 1,
    max: 86_400,
  }),
};
