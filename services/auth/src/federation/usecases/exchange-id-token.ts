import { type PluginName, parsePluginName, unauthenticated } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { decodeJwt, errors } from "jose";
import { type ApiToken, formatApiToken, hashOf, hintOf, tokenPrefixes } from "../../model/api-token.ts";
import type { User } from "../../model/user.ts";
import { countingFailures } from "../../usecases/count-failures.ts";
import type { TrustedPublisher } from "../model/trusted-publisher.ts";
import { carriesAll } from "../model/workflow-claims.ts";
import type { FederationParts, UseCase } from "../parts.ts";
import { type IdToken, type Issuer, leewaySeconds } from "../provider/issuer.ts";
import { Refused } from "../provider/refused.ts";
import { claimsOf } from "../publisher-wire.ts";

const lifetimeMs = 15 * 60_000;
/** An ID token that holds for longer is none that a build system makes for one run. */
const longestLifeSeconds = 3600;
const longestToken = 16_384;
const longestJti = 256;
const mostOfPlugin = 1000;
const secretBytes = 32;

export const exchangeIdToken: UseCase<"exchangeIdToken"> = (parts) => async (request, context) => {
  const plugin = parsePluginName(request.plugin, "/plugin");
  return countingFailures(parts, context.address, () => exchange(parts, request.idToken, plugin, context));
};

async function exchange(
  parts: FederationParts,
  idToken: string,
  plugin: PluginName,
  context: CallContext,
): Promise<{ readonly token: string; readonly expiresAt: Date; readonly plugin: string }> {
  const { issuer, claims } = await proved(parts, idToken, context);
  const match = await matching(parts, plugin, issuer.url, claims);
  if (match === undefined) throw refuse(context, `no trusted publisher of ${plugin} has these claims`);
  // The last thing that is checked, so that a token is not used up by a workflow that was not configured yet.
  const holdsUntil = new Date((claims.exp + leewaySeconds) * 1000);
  if (!(await parts.usedOnce.use("jti", `${issuer.url}\n${claims.jti}`, holdsUntil))) {
    throw refuse(context, "jti: it was used before");
  }
  const { publisher, user } = match;
  const { secret, token } = await issue(parts, publisher, context);
  const matched = { publisher: publisher._id, issuer: issuer.url, claims: claimsOf(publisher) };
  const after = { ...matched, publishes_as: user.username, token_id: token._id };
  context.audit({ organisation: publisher.namespace, after });
  return { token: secret, expiresAt: token.expiresAt, plugin };
}

/** Callers learn nothing of what was wrong; the operator's log does, without the token. */
function refuse(context: CallContext, reason: string): Error {
  context.log.info({ reason }, "ID token refused");
  return unauthenticated();
}

interface Proved {
  readonly issuer: Issuer;
  readonly claims: IdToken & { readonly jti: string };
}

async function proved(parts: FederationParts, token: string, context: CallContext): Promise<Proved> {
  try {
    const issuer = parts.trustedIssuers.get(namedIssuer(token));
    if (issuer === undefined) throw new Refused("iss: not a trusted issuer");
    const audience = parts.config.TRUSTED_AUDIENCE;
    return { issuer, claims: checkClaims(await issuer.verify(token, audience), audience) };
  } catch (error) {
    throw error instanceof Refused ? refuse(context, error.message) : error;
  }
}

/** What the token says before anything is verified: good for choosing whom to ask, and for nothing else. */
function namedIssuer(token: string): string {
  if (token.length > longestToken) throw new Refused("it is too long");
  try {
    return decodeJwt(token).iss ?? "";
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new Refused("it is no JWT");
    throw error;
  }
}

function checkClaims(claims: IdToken, audience: string): Proved["claims"] {
  const { aud, azp, exp, iat, jti } = claims;
  if ([aud].flat().length !== 1) throw new Refused("aud: it is for others, too");
  if (azp !== undefined && azp !== audience) throw new Refused("azp: it was given to another");
  if (exp - iat > longestLifeSeconds) throw new Refused("exp: it holds for more than an hour");
  if (typeof jti !== "string" || jti === "" || jti.length > longestJti) throw new Refused("jti: it is missing");
  return { ...claims, jti };
}

/** Of several that match, the oldest whose user is active: a later one does not take over what works. */
async function matching(
  parts: FederationParts,
  plugin: string,
  issuer: string,
  claims: IdToken,
): Promise<{ readonly publisher: TrustedPublisher; readonly user: User } | undefined> {
  const sort = [["createdAt", 1]] as const;
  const all = await parts.publishers.find({ plugin }, { sort, limit: mostOfPlugin });
  const candidates = all.filter((publisher) => publisher.issuer === issuer && carriesAll(claims, publisher.claims));
  for (const publisher of candidates) {
    const user = await parts.users.findOne({ _id: publisher.publishesAs });
    if (user !== null && !user.disabled) return { publisher, user };
  }
  return undefined;
}

async function issue(
  parts: FederationParts,
  publisher: TrustedPublisher,
  context: CallContext,
): Promise<{ readonly secret: string; readonly token: ApiToken & { readonly expiresAt: Date } }> {
  const now = parts.clock.now();
  const expiresAt = new Date(now.getTime() + lifetimeMs);
  const secret = formatApiToken(parts.ids.secret(secretBytes), tokenPrefixes.publish);
  const token = {
    _id: parts.ids.unique(),
    hash: hashOf(secret),
    userId: publisher.publishesAs,
    name: "trusted publishing",
    scopes: [`publish:${publisher.plugin}`, `read:${publisher.plugin}`],
    createdAt: now,
    expiresAt,
    hint: hintOf(secret),
    kind: "publish",
    publisherId: publisher._id,
  } as const;
  await parts.apiTokens.insertOne(token);
  const stillThere = await parts.publishers.updateOne({ _id: publisher._id }, { $max: { lastUsedAt: now } });
  if (stillThere.matchedCount > 0) return { secret, token };
  // It was deleted meanwhile, perhaps after its tokens were.
  await parts.apiTokens.deleteOne({ _id: token._id });
  throw refuse(context, "the trusted publisher was deleted");
}
