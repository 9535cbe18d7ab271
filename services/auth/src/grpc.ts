import { AuthServiceDefinition } from "@registry/contracts/auth";
import { admins, anyOf, anyone, defineService, type Policy, type ServiceTable, services, users } from "@registry/kit";
import type { Parts } from "./parts.ts";
import { changePassword } from "./usecases/change-password.ts";
import { createApiToken } from "./usecases/create-api-token.ts";
import { createUser } from "./usecases/create-user.ts";
import { exchangeCredential } from "./usecases/exchange-credential.ts";
import { getMe } from "./usecases/get-me.ts";
import { getRevocationEpoch } from "./usecases/get-revocation-epoch.ts";
import { getUser } from "./usecases/get-user.ts";
import { listApiTokens } from "./usecases/list-api-tokens.ts";
import { listUsers } from "./usecases/list-users.ts";
import { login } from "./usecases/login.ts";
import { logout } from "./usecases/logout.ts";
import { register } from "./usecases/register.ts";
import { revokeApiToken } from "./usecases/revoke-api-token.ts";
import { updateUser } from "./usecases/update-user.ts";

/** Users with all of their rights: a token for one purpose must not make itself a wider one, nor lock its user out. */
const unscoped: Policy = (caller) =>
  caller.type === "user" && (caller.scopes === undefined || caller.scopes.includes("*"));

export function authTable(parts: Parts): ServiceTable {
  return defineService(AuthServiceDefinition, {
    register: { allow: anyone, handle: register(parts) },
    login: { allow: anyone, handle: login(parts) },
    logout: { allow: anyone, handle: logout(parts) },
    exchangeCredential: { allow: anyone, handle: exchangeCredential(parts) },
    getRevocationEpoch: { allow: anyone, handle: getRevocationEpoch(parts) },
    getMe: { allow: users, handle: getMe(parts) },
    changePassword: { allow: unscoped, handle: changePassword(parts) },
    listUsers: { allow: admins, handle: listUsers(parts) },
    getUser: { allow: anyOf(admins, services("catalog", "gateway")), handle: getUser(parts) },
    createUser: { allow: admins, handle: createUser(parts) },
    updateUser: { allow: admins, handle: updateUser(parts) },
    createApiToken: { allow: unscoped, handle: createApiToken(parts) },
    listApiTokens: { allow: unscoped, handle: listApiTokens(parts) },
    revokeApiToken: { allow: unscoped, handle: revokeApiToken(parts) },
  });
}
