import type { AuthServiceDefinition } from "@registry/contracts/auth";
import type { Clock, Handler, Ids, Keys, Logger, SettingsOf } from "@registry/kit";
import type { CallerTokens } from "./caller-tokens.ts";
import type { authSettings } from "./config.ts";
import type { Gate } from "./gate.ts";
import type { Organisations } from "./organisations/store/organisations.ts";
import type { Quotas } from "./quotas.ts";
import type { ApiTokens } from "./store/api-tokens.ts";
import type { Counters } from "./store/counters.ts";
import type { LoginThrottle } from "./store/failures.ts";
import type { Namespaces } from "./store/namespaces.ts";
import type { RevokedTokens } from "./store/revoked.ts";
import type { SigningKeys } from "./store/signing-keys.ts";
import type { Users } from "./store/users.ts";
import type { Withdraw } from "./withdraw.ts";

export type AuthConfig = SettingsOf<typeof authSettings> & {
  /** Name that the registry shows: authenticator apps say it beside the user's. */
  readonly REGISTRY_NAME: string;
};

/** What the use cases are made of. */
export interface Parts {
  readonly config: AuthConfig;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly keys: Keys;
  readonly log: Logger;
  readonly users: Users;
  readonly namespaces: Namespaces;
  readonly organisations: Organisations;
  readonly apiTokens: ApiTokens;
  readonly revoked: RevokedTokens;
  readonly counters: Counters;
  readonly throttle: LoginThrottle;
  readonly quotas: Quotas;
  readonly callerTokens: CallerTokens;
  /** Where tokens of logins are signed with keys of auth's own. */
  readonly signingKeys: SigningKeys | undefined;
  /** Around everything that hashes passwords. */
  readonly hashing: Gate;
  readonly withdraw: Withdraw;
  /** Of a password that nobody knows: verified for unknown users, so that they take as long as known ones. */
  readonly dummyHash: string;
}

type Methods = (typeof AuthServiceDefinition)["methods"];
/** A use case: given its parts, it handles the RPC of its name. */
export type UseCase<M extends keyof Methods> = (parts: Parts) => Handler<Methods[M]>;
