import { type Collection, type Documents, DuplicateKeyError } from "@registry/documents";
import { RegistryError } from "@registry/domain";
import type { User } from "../model/user.ts";

export type Users = Collection<User>;

export function openUsers(documents: Documents): Promise<Users> {
  return documents.collection<User>({
    name: "users",
    indexes: [
      { name: "username", keys: [["username", 1]], unique: true },
      { name: "email_key", keys: [["emailKey", 1]], unique: true },
      { name: "role", keys: [["role", 1]] },
      {
        name: "identity",
        keys: [
          ["identity.issuer", 1],
          ["identity.subject", 1],
        ],
        unique: true,
      },
      {
        name: "membership",
        keys: [
          ["memberships.org", 1],
          ["username", 1],
        ],
      },
      { name: "service_account_of", keys: [["serviceAccountOf", 1]] },
    ],
  });
}

/** What a violated unique index means to whoever asked; anything else as it is. */
export function explainDuplicate(error: unknown): unknown {
  if (!(error instanceof DuplicateKeyError)) return error;
  return error.index === "email_key"
    ? new RegistryError("already_exists", "EMAIL_TAKEN", "This email belongs to another user")
    : usernameTaken();
}

export const usernameTaken = (): RegistryError =>
  new RegistryError("already_exists", "USERNAME_TAKEN", "This username is taken; choose another");
