import { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import { isAdmin, notFound, permissionDenied, type RegistryError, type UserCaller } from "@registry/domain";
import type { CallContext, Clients } from "@registry/kit";
import { type Owner, ownerOf, type Webhook, webhookNotFound } from "./model/webhook.ts";
import type { WebhookStore } from "./store/webhooks.ts";

const roleIn = (caller: UserCaller, org: string) => caller.memberships?.find((each) => each.org === org)?.role;

function looksAfter(caller: UserCaller, org: string): boolean {
  const role = roleIn(caller, org);
  return role === "owner" || role === "maintainer";
}

/** The table lets in nobody but users with all of their rights. @throws `permission_denied` */
export function callerOf({ caller }: CallContext): UserCaller {
  if (caller.type === "user") return caller;
  throw permissionDenied();
}

/** @throws WEBHOOK_NOT_FOUND, also where it is there for others */
export async function findWebhook(store: WebhookStore, id: string, context: CallContext): Promise<Webhook> {
  const caller = callerOf(context);
  const webhook = await store.find(id);
  if (webhook === null) throw webhookNotFound();
  const owner = ownerOf(webhook);
  const own = owner.type === "user" ? owner.id === caller.id : looksAfter(caller, owner.name);
  if (own || isAdmin(caller)) return webhook;
  throw webhookNotFound();
}

/**
 * Who is meant: the caller, or the organisation that is named.
 * @throws `not_found` ORGANISATION_NOT_FOUND, also where it is there for others; `permission_denied` for its other members
 */
export async function ownerNamed(clients: Clients, organisation: string, context: CallContext): Promise<Owner> {
  const caller = callerOf(context);
  if (organisation === "") return { type: "user", id: caller.id, username: caller.username };
  const named: Owner = { type: "organisation", name: organisation };
  if (looksAfter(caller, organisation)) return named;
  if (isAdmin(caller)) {
    if (await exists(clients, organisation, context)) return named;
  } else if (roleIn(caller, organisation) !== undefined) throw permissionDenied();
  throw organisationNotFound();
}

async function exists(clients: Clients, name: string, context: CallContext): Promise<boolean> {
  const organisations = clients.of(OrganisationServiceDefinition);
  const { type, closed } = await organisations.getNamespace({ name }, { context, as: "service" });
  return type === "organisation" && !closed;
}

const organisationNotFound = (): RegistryError => notFound("ORGANISATION_NOT_FOUND", "Organisation not found");
