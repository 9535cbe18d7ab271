import type { FederationServiceDefinition } from "@registry/contracts/federation";
import type { Documents } from "@registry/documents";
import type { Handler } from "@registry/kit";
import type { Parts } from "../parts.ts";
import { Issuer } from "./provider/issuer.ts";
import { SignIn } from "./provider/sign-in.ts";
import { openTrustedPublishers, type TrustedPublishers } from "./store/trusted-publishers.ts";
import { UsedOnce } from "./store/used-once.ts";

/** What the use cases of federation are made of, beside what those of auth are. */
export interface FederationParts extends Parts {
  /** Undefined where no provider is configured. */
  readonly signIn: SignIn | undefined;
  /** By the URL that their tokens name. */
  readonly trustedIssuers: ReadonlyMap<string, Issuer>;
  readonly publishers: TrustedPublishers;
  readonly usedOnce: UsedOnce;
}

type Methods = (typeof FederationServiceDefinition)["methods"];
/** A use case: given its parts, it handles the RPC of its name. */
export type UseCase<M extends keyof Methods> = (parts: FederationParts) => Handler<Methods[M]>;

export async function openFederation(parts: Parts, documents: Documents): Promise<FederationParts> {
  const { config, clock, log } = parts;
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: id, OIDC_CLIENT_SECRET: secret, OIDC_SCOPES: scopes } = config;
  const isConfigured = issuer !== undefined && id !== undefined && secret !== undefined;
  return {
    ...parts,
    signIn: isConfigured ? new SignIn(new Issuer(issuer, clock), { id, secret, scopes }, log) : undefined,
    trustedIssuers: new Map(config.TRUSTED_ISSUERS.map((url) => [url, new Issuer(url, clock)])),
    publishers: await openTrustedPublishers(documents),
    usedOnce: await UsedOnce.open(documents),
  };
}
