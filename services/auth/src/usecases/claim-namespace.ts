import type { Parts } from "../parts.ts";
import type { Claim, NamespaceKind } from "../store/namespaces.ts";

/** Whoever claimed a name and has not made anything of it by then was cut off by a crash. */
const orphanedMs = 2 * 60_000;
const attempts = 5;

/**
 * Claims a name for a user or an organisation that is about to be made. Whoever claims makes it and then asks
 * `Namespaces.holds`: one that took longer than claims live may have lost the name, and has to unmake it.
 * @param name lower case
 * @returns undefined where the name is another's, or is being claimed right now
 */
export async function claimNamespace(parts: Parts, name: string, kind: NamespaceKind): Promise<Claim | undefined> {
  const claim: Claim = { _id: name, kind, stamp: parts.ids.unique(), at: parts.clock.now() };
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await parts.namespaces.insert(claim)) return claim;
    const other = await parts.namespaces.find(name);
    if (other === null) continue;
    const isYoung = claim.at.getTime() - other.at.getTime() < orphanedMs;
    if (isYoung || (await isUsed(parts, other))) return undefined;
    return (await parts.namespaces.takeOver(other, claim)) ? claim : undefined;
  }
  return undefined;
}

async function isUsed(parts: Parts, { _id, kind }: Claim): Promise<boolean> {
  const holder = kind === "user" ? await parts.users.findOne({ username: _id }) : await parts.organisations.find(_id);
  return holder !== null;
}
