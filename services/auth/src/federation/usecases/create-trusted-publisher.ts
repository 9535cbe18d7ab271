import { invalid, namespaceOf, notFound, parsePluginName, quote, RegistryError } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import type { User } from "../../model/user.ts";
import { callerUser } from "../../usecases/caller-user.ts";
import { managesAccount } from "../../usecases/token-owner.ts";
import type { TrustedPublisher } from "../model/trusted-publisher.ts";
import { parsePinnedClaims } from "../model/workflow-claims.ts";
import type { FederationParts, UseCase } from "../parts.ts";
import { publisherNote, toPublisherMessage } from "../publisher-wire.ts";

const mostOfPlugin = 50;
const mostOfUser = 200;

export const createTrustedPublisher: UseCase<"createTrustedPublisher"> = (parts) => async (request, context) => {
  const plugin = parsePluginName(request.plugin, "/plugin");
  const issuer = parseIssuer(parts, request.issuer);
  const claims = parsePinnedClaims(request.claims, issuer);
  const user = await callerUser(parts, context);
  const namespace = namespaceOf(plugin);
  const publishesAs = await whoPublishes(parts, request.publishesAs, namespace, user, context);
  await refuseTooMany(parts, user, plugin);
  const publisher: TrustedPublisher = {
    _id: parts.ids.unique(),
    plugin,
    ...(namespace === undefined ? {} : { namespace }),
    issuer,
    claims,
    publishesAs: publishesAs._id,
    createdBy: user._id,
    createdAt: parts.clock.now(),
  };
  await parts.publishers.insertOne(publisher);
  const message = await toPublisherMessage(parts, publisher);
  context.audit({ organisation: namespace, after: publisherNote(message) });
  return { publisher: message };
};

function parseIssuer(parts: FederationParts, issuer: string): string {
  if (parts.trustedIssuers.has(issuer)) return issuer;
  const known = [...parts.trustedIssuers.keys()];
  const remedy =
    known.length === 0
      ? "an administrator allows issuers with the setting TRUSTED_ISSUERS"
      : `this registry takes tokens of ${known.join(", ")}`;
  throw invalid("UNKNOWN_ISSUER", `issuer: ${quote(issuer)} is not trusted here; ${remedy}`, "/issuer");
}

/** The caller, or a service account of the plugin's organisation if the caller manages those. */
async function whoPublishes(
  parts: FederationParts,
  username: string,
  namespace: string | undefined,
  user: User,
  context: CallContext,
): Promise<User> {
  if (username === "" || username === user.username) return user;
  const account = await parts.users.findOne({ username: username.toLowerCase() });
  const fits = account !== null && !account.disabled && account.serviceAccountOf === namespace;
  if (fits && managesAccount(context, user, account)) return account;
  const rule = "publishes_as must be a service account of the organisation of the plugin's namespace, which you own";
  throw notFound("SERVICE_ACCOUNT_NOT_FOUND", `Service account not found: ${rule}`);
}

/** Counted for each user, so that nobody can use up the places of somebody else's plugin. */
async function refuseTooMany(parts: FederationParts, user: User, plugin: string): Promise<void> {
  if ((await parts.publishers.countDocuments({ createdBy: user._id, plugin })) >= mostOfPlugin) {
    const text = `At most ${mostOfPlugin} trusted publishers of a plugin; delete one first`;
    throw new RegistryError("conflict", "TOO_MANY_TRUSTED_PUBLISHERS", text);
  }
  if ((await parts.publishers.countDocuments({ createdBy: user._id })) >= mostOfUser) {
    const text = `A user has at most ${mostOfUser} trusted publishers; delete one first`;
    throw new RegistryError("conflict", "TOO_MANY_TRUSTED_PUBLISHERS", text);
  }
}
