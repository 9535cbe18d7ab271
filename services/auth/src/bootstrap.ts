import { DuplicateKeyError } from "@registry/documents";
import { ensureAdminToken, readAdminToken, removeAdminToken } from "./admin-token-file.ts";
import { formatApiToken, hashOf, hintOf, tokenPrefixes } from "./model/api-token.ts";
import { bootstrapUserId, bootstrapUsername, type User } from "./model/user.ts";
import type { Parts } from "./parts.ts";

/**
 * Makes the first administrator, once for a registry, however many replicas start: the insert of one document that
 * also carries the hash of its token decides. What a crash left undone is done at the next start of any replica.
 * @param path of the file for its token
 * @returns the path, where this process made both the administrator and the file just now
 */
export async function bootstrapAdmin(parts: Parts, path: string): Promise<string | undefined> {
  const created = (await hasAdmin(parts)) ? undefined : await makeAdmin(parts, path);
  await finishAdmin(parts);
  if (created === undefined) await reportStrangeFile(parts, path);
  else parts.log.info({ file: created }, "administrator created; its API token is in the file");
  return created;
}

async function hasAdmin(parts: Parts): Promise<boolean> {
  return (await parts.users.findOne({ role: "admin" })) !== null;
}

async function makeAdmin(parts: Parts, path: string): Promise<string | undefined> {
  const file = await ensureAdminToken(
    path,
    formatApiToken(parts.ids.secret(32), tokenPrefixes.personal),
    parts.ids.unique(),
  );
  const admin: User = {
    _id: bootstrapUserId,
    username: bootstrapUsername,
    role: "admin",
    grants: [],
    disabled: false,
    createdAt: parts.clock.now(),
    bootstrapTokenHash: hashOf(file.secret),
  };
  try {
    await parts.users.insertOne(admin);
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    // The winner may have read this very file, where replicas share a folder.
    if (file.created && !(await isAdminsToken(parts, file.secret))) await removeAdminToken(path);
    return undefined;
  }
  return file.created ? path : undefined;
}

async function isAdminsToken(parts: Parts, secret: string): Promise<boolean> {
  const hash = hashOf(secret);
  const admin = await parts.users.findOne({ _id: bootstrapUserId });
  return admin?.bootstrapTokenHash === hash || (await parts.apiTokens.findOne({ hash })) !== null;
}

/** Each step may be done twice; the mark goes last. */
async function finishAdmin(parts: Parts): Promise<void> {
  const admin = await parts.users.findOne({ _id: bootstrapUserId });
  const hash = admin?.bootstrapTokenHash;
  if (admin === null || hash === undefined) return;
  await parts.apiTokens.insertNew([
    {
      _id: "bootstrap",
      hash,
      kind: "personal",
      userId: admin._id,
      name: "admin-token",
      scopes: [],
      createdAt: admin.createdAt,
      hint: hintOf(tokenPrefixes.personal),
    },
  ]);
  await parts.counters.addAdmin(admin._id);
  await parts.users.updateOne({ _id: admin._id }, { $unset: { bootstrapTokenHash: true } });
}

async function reportStrangeFile(parts: Parts, path: string): Promise<void> {
  const secret = await readAdminToken(path);
  if (secret === undefined || (await isAdminsToken(parts, secret))) return;
  parts.log.warn({ file: path }, "the file does not hold a token of this registry; it was revoked or is another one's");
}
