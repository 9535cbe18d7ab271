import type { UseCase } from "../parts.ts";

export const getSignInOptions: UseCase<"getSignInOptions"> = (parts) => async () => {
  const { config } = parts;
  return {
    oidc: parts.signIn !== undefined,
    oidcName: parts.signIn === undefined ? "" : config.OIDC_NAME,
    trustedIssuers: [...parts.trustedIssuers.keys()],
    trustedAudience: config.TRUSTED_AUDIENCE,
    registrationOpen: config.REGISTRATION === "open",
  };
};
