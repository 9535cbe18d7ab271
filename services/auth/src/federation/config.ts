import { setting } from "@registry/kit";
import { registrationRoles } from "../model/user.ts";
import { parseIssuerUrl } from "./model/issuer-url.ts";

const claimName = { pattern: /^[\w:/.-]{1,200}$/, expects: "the name of a claim" };
const groupText = { pattern: /^[^\p{C}]{1,200}$/u, expects: "1 to 200 characters" };
const issuerText = setting.text<string | undefined>({
  description: "Identity provider of the company, as its tokens name it: sign-in with OpenID Connect",
  fallback: undefined,
  shownDefault: "none",
});
const issuerList = setting.list({
  description: "Issuers whose ID tokens trusted publishing takes, comma-separated: those of build systems",
  fallback: [],
  shownDefault: "none",
});

export const federationSettings = {
  OIDC_ISSUER: { ...issuerText, parse: parseIssuerUrl },
  OIDC_CLIENT_ID: setting.text<string | undefined>({
    description: "Client id of this registry at OIDC_ISSUER",
    fallback: undefined,
    pattern: /^[\x20-\x7e]{1,255}$/,
    expects: "1 to 255 printable characters",
  }),
  OIDC_CLIENT_SECRET: setting.secret({ description: "Secret of that client", fallback: undefined }),
  OIDC_NAME: setting.text({
    description: "What the button of a sign-in page says",
    fallback: "Single sign-on",
    pattern: /^[^\p{C}]{1,60}$/u,
    expects: "1 to 60 characters on one line",
  }),
  OIDC_SCOPES: setting.text({
    description: "Scopes that sign-in asks the provider for",
    fallback: "openid profile email",
    pattern: /^(?=(?:.* )?openid(?: |$))[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+){0,20}$/,
    expects: "scopes with single spaces between them, openid among them",
  }),
  OIDC_GROUPS_CLAIM: setting.text({
    description: "Claim with the groups of whoever signs in",
    fallback: "groups",
    ...claimName,
  }),
  OIDC_USERNAME_CLAIM: setting.text({
    description: "Claim that a new user's name is made from",
    fallback: "preferred_username",
    ...claimName,
  }),
  OIDC_DEFAULT_ROLE: setting.oneOf(registrationRoles, {
    description: "Role of those who signed in for the first time: user or publisher",
    fallback: "user",
  }),
  OIDC_ADMIN_GROUP: setting.text<string | undefined>({
    description: "Group whose members are administrators, as of each one's last sign-in",
    fallback: undefined,
    shownDefault: "none",
    ...groupText,
  }),
  TRUSTED_ISSUERS: { ...issuerList, parse: (text: string) => issuerList.parse(text).map(parseIssuerUrl) },
  TRUSTED_AUDIENCE: setting.text({
    description: "Audience that ID tokens for trusted publishing must carry, and no other",
    fallback: "agenticraft-registry",
    pattern: /^[\x21-\x7e]{1,255}$/,
    expects: "1 to 255 printable characters without spaces",
  }),
};
