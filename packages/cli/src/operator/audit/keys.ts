import { createPublicKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { invalid } from "@registry/domain";
import { deriveKeys, inspectSettings, readEnvironment, settingsError } from "@registry/kit";
import { auditHeadFile } from "../../audit-head-file.ts";
import { allSettings } from "../../settings.ts";

/** What of the registry's settings a verification needs. */
export interface Held {
  /** Files of signed ends that are there, oldest first. */
  readonly headFiles: readonly string[];
  /** The registry's own key; undefined where its secret cannot be read from here. */
  readonly key: KeyObject | undefined;
}

const needed: readonly string[] = ["SECRET_KEY", "DATA_DIR", "AUDIT_HEAD_FILE"];

/** @throws kind `invalid_argument`, reason `INVALID_SETTINGS` */
export function readHeld(envFile: string): Held {
  const { settings, problems } = inspectSettings(allSettings, readEnvironment(envFile, allSettings));
  const bad = problems.filter(({ pointer }) => needed.includes(pointer));
  if (bad.length > 0) throw settingsError(bad);
  const file = auditHeadFile(settings);
  const secretFile = join(settings.DATA_DIR, "secret-key");
  const inFile = existsSync(secretFile) ? readFileSync(secretFile, "utf8").trim() : undefined;
  const secret = settings.SECRET_KEY ?? inFile;
  return {
    headFiles: [`${file}.1`, file].filter((path) => existsSync(path)),
    key: secret === undefined ? undefined : deriveKeys(secret).audit.verifying,
  };
}

const pem = /-----BEGIN PUBLIC KEY-----[\s\S]+?-----END PUBLIC KEY-----/g;

/**
 * Ed25519 public keys in PEM.
 * @throws kind `invalid_argument`, reason `INVALID_KEY`, where there is none
 */
export function publicKeysIn(text: string, from: string): KeyObject[] {
  try {
    const keys = Array.from(text.matchAll(pem), ([block]) => createPublicKey(block));
    if (keys.length > 0 && keys.every((key) => key.asymmetricKeyType === "ed25519")) return keys;
  } catch {}
  throw invalid("INVALID_KEY", `${from}: no Ed25519 public key in PEM`);
}
