import { hash as argonHash, parseOptions as argonOptions, verify as argonVerify } from "@node-rs/argon2";
import { parseOptions as bcryptOptions, verify as bcryptVerify } from "@node-rs/bcrypt";
import { invalid } from "@registry/domain";

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const current = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };
const argonPrefix = "$argon2id$";
const bcryptPattern = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;
/** Hashes that are brought from elsewhere may not make a login cost more than about two seconds. */
const most = { bcryptCost: 14, memoryCost: 131_072, timeCost: 10, parallelism: 16 };

export function hashPassword(password: string): Promise<string> {
  return argonHash(password, current);
}

/** @param hash argon2id or bcrypt ($2a, $2b, $2y) */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  return hash.startsWith(argonPrefix) ? argonVerify(hash, password) : bcryptVerify(password, hash);
}

/** Whether the hash should be made anew at the next chance, when the password is at hand. */
export function isOutdated(hash: string): boolean {
  if (!hash.startsWith(argonPrefix)) return true;
  const used = argonOptions(hash);
  return used.memoryCost < current.memoryCost || used.timeCost < current.timeCost;
}

function isAffordable(hash: string): boolean {
  try {
    if (bcryptPattern.test(hash)) return bcryptOptions(hash).cost <= most.bcryptCost;
    if (!hash.startsWith(argonPrefix) || hash.length > 300) return false;
    const { memoryCost, timeCost, parallelism } = argonOptions(hash);
    return memoryCost <= most.memoryCost && timeCost <= most.timeCost && parallelism <= most.parallelism;
  } catch {
    return false;
  }
}

/** A hash brought from another registry. */
export function parsePasswordHash(hash: string): string {
  if (isAffordable(hash)) return hash;
  throw invalid(
    "INVALID_PASSWORD_HASH",
    `password_hash must be bcrypt ($2a$, $2b$ or $2y$, cost up to ${most.bcryptCost}) or argon2id (up to ${most.memoryCost / 1024} MiB and ${most.timeCost} passes)`,
    "/password_hash",
  );
}
