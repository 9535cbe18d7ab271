import type { ExchangeIdTokenResponse } from "@registry/contracts/federation";
import {
  orgRoleActions,
  type PluginName,
  parsePluginName,
  RegistryError,
  rolesIn,
  unauthenticated,
} from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { decodeJwt, errors } from "jose";
import { type ApiToken, formatApiToken, hashOf, hintOf, tokenPrefixes } from "../../model/api-token.ts";
import type { User } from "../../model/user.ts";
import { membershipIn } from "../../organisations/model/memberships.ts";
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
  const wanted = { plugin, username: request.publishesAs.toLowerCase() };
  return countingFailures(parts, context.address, () => exchange(parts, request.idToken, wanted, context));
};

interface Wanted {
  readonly plugin: PluginName;
  /** Empty where the workflow does not say. */
  readonly username: string;
}

type Exchanged = Pick<ExchangeIdTokenResponse, "token" | "expiresAt" | "plugin" | "publishesAs">;

async function exchange(
  parts: FederationParts,
  idToken: string,
  wanted: Wanted,
  context: CallContext,
): Promise<Exchanged> {
  const { plugin } = wanted;
  const { issuer, claims } = await proved(parts, idToken, context);
  const match = await matching(parts, wanted, issuer.url, claims);
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
  return { token: secret, expiresAt: token.expiresAt, plugin, publishesAs: user.username };
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

interface Match {
  readonly publisher: TrustedPublisher;
  readonly user: User;
}

/**
 * Anybody may trust any workflow, also one that is not theirs. So a namespace is published to by its own people alone, and
 * where several users trust the workflow, it says for whom it works.
 */
async function matching(
  parts: FederationParts,
  { plugin, username }: Wanted,
  issuer: string,
  claims: IdToken,
): Promise<Match | undefined> {
  const sort = [["createdAt", 1]] as const;
  const all = await parts.publishers.find({ plugin }, { sort, limit: mostOfPlugin });
  const candidates = all.filter((publisher) => publisher.issuer === issuer && carriesAll(claims, publisher.claims));
  const matches: Match[] = [];
  for (const publisher of candidates) {
    const user = await parts.users.findOne({ _id: publisher.publishesAs });
    if (user === null || user.disabled || (username !== "" && user.username !== username)) continue;
    if (mayUseNamespace(user, publisher.namespace, plugin)) matches.push({ publisher, user });
  }
  // What has worked before goes on working, whoever comes to trust the workflow as well.
  const used = matches.filter(({ publisher }) => publisher.lastUsedAt !== undefined);
  const [first, ...others] = used.length > 0 ? used : matches;
  if (others.some(({ user }) => user._id !== first?.user._id)) throw ambiguous();
  return first;
}

/** As far as auth can tell; the catalog decides when something is published. */
function mayUseNamespace(user: User, namespace: string | undefined, plugin: PluginName): boolean {
  if (namespace === undefined || namespace === user.username || user.role === "admin") return true;
  const membership = membershipIn(user, namespace);
  const byRole = membership !== undefined && rolesIn(membership).some((r) => orgRoleActions[r].includes("publish"));
  return byRole || user.grants.some((grant) => grant === `publish:@${namespace}/*` || grant === `publish:${plugin}`);
}

const ambiguous = (): RegistryError =>
  new RegistryError(
    "conflict",
    "AMBIGUOUS_PUBLISHER",
    "Several users trust this workflow with the plugin; say in publishes_as for whom it publishes",
    { fields: [{ pointer: "/publishes_as", reason: "is needed here" }] },
  );

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
