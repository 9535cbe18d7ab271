import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { invalid } from "@registry/domain";

/** Files that an operator brings may hold a secret of another form, if it is long enough; dots are for signed tokens. */
const acceptable = /^[\w~+/=-]{32,512}$/;

export interface AdminTokenFile {
  readonly secret: string;
  /** Whether this process made the file just now. */
  readonly created: boolean;
}

async function readSecret(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Complete or not there at all: another process that shares the folder must not read half a token. */
async function createWhole(path: string, secret: string, temporary: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(`${secret}\n`);
    await file.sync();
    await file.close();
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
  }
}

/** @returns the trimmed content, undefined where there is no file */
export function readAdminToken(path: string): Promise<string | undefined> {
  return readSecret(path);
}

/**
 * The token in the file, which is created where it is missing, readable by its owner alone.
 * @param unique for the name of a temporary file beside it
 * @throws kind `invalid_argument`, reason `INVALID_ADMIN_TOKEN_FILE`
 */
export async function ensureAdminToken(path: string, fresh: string, unique: string): Promise<AdminTokenFile> {
  const present = await readSecret(path);
  if (present === undefined && (await createWhole(path, fresh, `${path}.${unique}.tmp`))) {
    return { secret: fresh, created: true };
  }
  const secret = present ?? (await readSecret(path)) ?? "";
  if (!acceptable.test(secret)) {
    throw invalid(
      "INVALID_ADMIN_TOKEN_FILE",
      "the file named by ADMIN_TOKEN_FILE must hold one token of 32 to 512 characters without spaces or dots; remove it to have one made",
      "ADMIN_TOKEN_FILE",
    );
  }
  return { secret, created: false };
}

export async function removeAdminToken(path: string): Promise<void> {
  await rm(path, { force: true });
}
