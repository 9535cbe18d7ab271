import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FinishSignInResponse } from "@registry/contracts/federation";
import type { CallOptions } from "@registry/kit";
import { afterAll, beforeAll, expect } from "vitest";
import type { AuthConfig } from "../../parts.ts";
import { bearer, failure, openStore, type Replica, type Store, startReplica } from "../../testing/harness.ts";
import { startProvider, type TestProvider, visitProvider } from "../../testing/oidc-provider.ts";

export const redirectUri = "http://127.0.0.1:8080/api/v1/auth/oidc/callback";

/** A registry with the company's identity provider. What it has may be used once `beforeAll` has run. */
export interface Company {
  readonly store: Store;
  readonly provider: TestProvider;
  readonly replica: Replica;
  readonly admin: CallOptions;
  /** Of a registry at this provider. */
  settingsFor(provider: Pick<TestProvider, "issuer" | "clientId" | "clientSecret">): Partial<AuthConfig>;
  begin(returnTo?: string, at?: Replica): Promise<{ authorizationUrl: string; sealedState: string }>;
  /** A whole sign-in, as a browser goes through it. */
  signIn(login: string, at?: Replica, returnTo?: string): Promise<FinishSignInResponse>;
  /** Fails unless this sign-in is turned away like every other. */
  refused(callbackUrl: string, sealedState: string): Promise<void>;
}

/** For the calling file: started before its tests, and closed after them. */
export function createCompany(): Company {
  let running: Pick<Company, "store" | "provider" | "replica" | "admin"> | undefined;
  const company = (): NonNullable<typeof running> => {
    if (running === undefined) throw new Error("the registry is not started yet");
    return running;
  };
  beforeAll(async () => {
    const [store, provider] = await Promise.all([openStore(), startProvider()]);
    const replica = await startReplica(store, { config: settingsFor(provider) });
    const admin = bearer((await readFile(join(store.folder, "admin-token"), "utf8")).trim());
    running = { store, provider, replica, admin };
  });
  afterAll(async () => {
    await running?.replica.close();
    await running?.provider.close();
    await running?.store.close();
  });

  const settingsFor: Company["settingsFor"] = ({ issuer, clientId, clientSecret }) => ({
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: clientId,
    OIDC_CLIENT_SECRET: clientSecret,
    OIDC_SCOPES: "openid profile email groups",
    OIDC_ADMIN_GROUP: "registry-admins",
  });
  const begin: Company["begin"] = (returnTo = "", { federation } = company().replica) =>
    federation.beginSignIn({ redirectUri, returnTo });
  return {
    get store() {
      return company().store;
    },
    get provider() {
      return company().provider;
    },
    get replica() {
      return company().replica;
    },
    get admin() {
      return company().admin;
    },
    settingsFor,
    begin,
    async signIn(login, at = company().replica, returnTo = "") {
      const { authorizationUrl, sealedState } = await begin(returnTo, at);
      const callbackUrl = await visitProvider(authorizationUrl, login);
      return at.federation.finishSignIn({ callbackUrl, sealedState });
    },
    async refused(callbackUrl, sealedState) {
      const error = await failure(company().replica.federation.finishSignIn({ callbackUrl, sealedState }));
      expect([error.kind, error.message]).toEqual(["unauthenticated", "Invalid authentication"]);
    },
  };
}
