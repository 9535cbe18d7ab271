import { AuthServiceDefinition } from "@registry/contracts/auth";
import { RegistryError } from "@registry/domain";
import { admins, anyOf, anyone, defineService, type ServiceTable, services, unscoped, users } from "@registry/kit";
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

const comes = async (): Promise<never> => {
  throw new RegistryError("unimplemented", "UNIMPLEMENTED", "No such method");
};

/** Of requests that name a user, who may not be there. */
const named =
  (action: string) =>
  ({ username }: { readonly username: string }) => ({ action, target: username.toLowerCase() });

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
    createUser: { allow: admins, handle: createUser(parts), audit: named("user.create") },
    updateUser: { allow: admins, handle: updateUser(parts), audit: named("user.update") },
    createApiToken: { allow: unscoped, handle: createApiToken(parts) },
    listApiTokens: { allow: unscoped, handle: listApiTokens(parts) },
    revokeApiToken: { allow: unscoped, handle: revokeApiToken(parts) },
    beginTotp: { allow: unscoped, handle: comes },
    confirmTotp: { allow: unscoped, handle: comes },
    disableTotp: { allow: unscoped, handle: comes },
    resetTotp: { allow: services("cli"), handle: comes },
    getJwks: { allow: anyone, handle: comes },
    rotateSigningKey: { allow: admins, handle: comes },
    reportSecrets: { allow: anyone, handle: comes },
  });
}
