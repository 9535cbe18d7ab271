import { FederationServiceDefinition } from "@registry/contracts/federation";
import { anyone, defineService, type ServiceTable, unscoped } from "@registry/kit";
import type { FederationParts } from "./parts.ts";
import { beginSignIn } from "./usecases/begin-sign-in.ts";
import { createTrustedPublisher } from "./usecases/create-trusted-publisher.ts";
import { deleteTrustedPublisher } from "./usecases/delete-trusted-publisher.ts";
import { exchangeIdToken } from "./usecases/exchange-id-token.ts";
import { finishSignIn } from "./usecases/finish-sign-in.ts";
import { getSignInOptions } from "./usecases/get-sign-in-options.ts";
import { listTrustedPublishers } from "./usecases/list-trusted-publishers.ts";

/** What becomes part of a row before it was checked. */
const shown = (text: string): string => text.slice(0, 150);

export function federationTable(parts: FederationParts): ServiceTable {
  return defineService(FederationServiceDefinition, {
    getSignInOptions: { allow: anyone, handle: getSignInOptions(parts) },
    beginSignIn: { allow: anyone, handle: beginSignIn(parts) },
    finishSignIn: {
      allow: anyone,
      handle: finishSignIn(parts),
      audit: () => ({ action: "signin.oidc" }),
    },
    exchangeIdToken: {
      allow: anyone,
      handle: exchangeIdToken(parts),
      audit: ({ plugin }) => ({ action: "trusted_publisher.exchange", target: shown(plugin) }),
    },
    createTrustedPublisher: {
      allow: unscoped,
      handle: createTrustedPublisher(parts),
      audit: ({ plugin }) => ({ action: "trusted_publisher.create", target: shown(plugin) }),
    },
    listTrustedPublishers: { allow: unscoped, handle: listTrustedPublishers(parts) },
    deleteTrustedPublisher: {
      allow: unscoped,
      handle: deleteTrustedPublisher(parts),
      audit: ({ id }) => ({ action: "trusted_publisher.delete", target: shown(id) }),
    },
  });
}
