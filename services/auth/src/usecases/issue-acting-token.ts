import { notFound } from "@registry/domain";
import { internalTokenSeconds, orgClaims, signInternalToken } from "@registry/kit";
import { isLive } from "../organisations/model/organisation.ts";
import type { Parts, UseCase } from "../parts.ts";

/** Nobody's: what an organisation does by itself, no user did. */
const noUser = 0;

/** For a moment in which nobody is there to show a credential; the revocation epoch ends it like any other token. */
export const issueActingToken: UseCase<"issueActingToken"> =
  (parts) =>
  async ({ principal }) => {
    // Before the rights are read, as with every token.
    const { epoch } = await parts.counters.epoch(parts.clock.now());
    const exp = Math.floor(parts.clock.now().getTime() / 1000) + internalTokenSeconds;
    const rights =
      principal?.$case === "organisation"
        ? await rightsOfOrganisation(parts, principal.value)
        : await rightsOfUser(parts, principal?.value ?? noUser);
    const internalToken = signInternalToken(parts.keys, { iss: "agenticraft-registry", exp, ...rights, epoch });
    return { internalToken, expiresAt: new Date(exp * 1000) };
  };

async function rightsOfUser(parts: Parts, id: number) {
  const user = await parts.users.findOne({ _id: id });
  if (user === null || user.disabled) throw principalNotFound();
  const { username, role, grants, memberships = [] } = user;
  return { user_id: id, username, role, grants, orgs: orgClaims(memberships) };
}

/** A maintainer's role: what an organisation keeps to one team, it keeps from those who merely look after the rest, too. */
async function rightsOfOrganisation(parts: Parts, name: string) {
  const organisation = await parts.organisations.find(name);
  if (!isLive(organisation)) throw principalNotFound();
  const orgs = orgClaims([{ org: name, role: "maintainer", teams: {} }]);
  return { user_id: noUser, username: name, role: "user", grants: [], orgs };
}

const principalNotFound = () => notFound("PRINCIPAL_NOT_FOUND", "There is no such user or organisation any more");
