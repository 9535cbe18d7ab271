import { AuthServiceDefinition } from "@registry/contracts/auth";
import { admins, anyOf, anyone, defineService, type ServiceTable, services, unscoped, users } from "@registry/kit";
import type { Parts } from "./parts.ts";
import { beginTotp } from "./usecases/begin-totp.ts";
import { changePassword } from "./usecases/change-password.ts";
import { confirmTotp } from "./usecases/confirm-totp.ts";
import { createApiToken } from "./usecases/create-api-token.ts";
import { createUser } from "./usecases/create-user.ts";
import { disableTotp } from "./usecases/disable-totp.ts";
import { exchangeCredential } from "./usecases/exchange-credential.ts";
import { getJwks } from "./usecases/get-jwks.ts";
import { getMe } from "./usecases/get-me.ts";
import { getRevocationEpoch } from "./usecases/get-revocation-epoch.ts";
import { getUser } from "./usecases/get-user.ts";
import { issueActingToken } from "./usecases/issue-acting-token.ts";
import { listApiTokens } from "./usecases/list-api-tokens.ts";
import { listUsers } from "./usecases/list-users.ts";
import { login } from "./usecases/login.ts";
import { logout } from "./usecases/logout.ts";
import { register } from "./usecases/register.ts";
import { reportSecrets } from "./usecases/report-secrets.ts";
import { resetTotp } from "./usecases/reset-totp.ts";
import { revokeApiToken } from "./usecases/revoke-api-token.ts";
import { rotateSigningKey } from "./usecases/rotate-signing-key.ts";
import { updateUser } from "./usecases/update-user.ts";

/** Of requests that name a user, who may not be there. */
const named =
  (action: string) =>
  ({ username }: { readonly username: string }) => ({ action, target: username.toLowerCase() });

export function authTable(parts: Parts): ServiceTable {
  return defineService(AuthServiceDefinition, {
    register: { allow: anyone, handle: register(parts), audit: () => ({ action: "user.register" }) },
    login: { allow: anyone, handle: login(parts), audit: () => ({ action: "user.login" }) },
    logout: { allow: anyone, handle: logout(parts), audit: () => ({ action: "user.logout" }) },
    exchangeCredential: { allow: anyone, handle: exchangeCredential(parts) },
    getRevocationEpoch: { allow: anyone, handle: getRevocationEpoch(parts) },
    issueActingToken: { allow: services("analytics"), handle: issueActingToken(parts) },
    getMe: { allow: users, handle: getMe(parts) },
    changePassword: { allow: unscoped, handle: changePassword(parts), audit: () => ({ action: "user.password" }) },
    listUsers: { allow: admins, handle: listUsers(parts) },
    getUser: { allow: anyOf(admins, services("catalog", "gateway")), handle: getUser(parts) },
    createUser: { allow: admins, handle: createUser(parts), audit: named("user.create") },
    updateUser: { allow: admins, handle: updateUser(parts), audit: named("user.update") },
    createApiToken: { allow: unscoped, handle: createApiToken(parts), audit: () => ({ action: "token.create" }) },
    listApiTokens: { allow: unscoped, handle: listApiTokens(parts) },
    // Its id may be the token itself, which somebody took for it: told once it was found.
    revokeApiToken: { allow: unscoped, handle: revokeApiToken(parts), audit: () => ({ action: "token.revoke" }) },
    beginTotp: { allow: unscoped, handle: beginTotp(parts), audit: () => ({ action: "totp.begin" }) },
    confirmTotp: { allow: unscoped, handle: confirmTotp(parts), audit: () => ({ action: "totp.enable" }) },
    disableTotp: { allow: unscoped, handle: disableTotp(parts), audit: () => ({ action: "totp.disable" }) },
    resetTotp: { allow: services("cli"), handle: resetTotp(parts), audit: named("totp.reset") },
    getJwks: { allow: anyone, handle: getJwks(parts) },
    rotateSigningKey: { allow: admins, handle: rotateSigningKey(parts), audit: () => ({ action: "key.rotate" }) },
    reportSecrets: { allow: anyone, handle: reportSecrets(parts), audit: () => ({ action: "secret.report" }) },
  });
}
