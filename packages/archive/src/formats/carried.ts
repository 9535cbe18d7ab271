import { isVersion, quote } from "@registry/domain";
import type { Finding } from "../inspection.ts";

/** A version as a manifest carries it; absent where the publisher must give one. */
export interface CarriedVersion {
  readonly version?: string;
  readonly findings: readonly Finding[];
}

/** What may stand for a version in a format that leaves its spelling free: it holds a digit, and is no placeholder. */
export const freeVersion = /^(?=.*\d)[0-9A-Za-z][0-9A-Za-z.+_-]{0,254}$/;

/**
 * Reads a version of a format that does not ask for Semantic Versioning. `v1.2.0` is 1.2.0, and `1.2` is 1.2.0: there
 * is no other release that they could mean. Whatever else the registry cannot order is left to the publisher.
 */
export function carriedVersion(text: string | undefined, file: string, pointer: string): CarriedVersion {
  if (text === undefined) return { findings: [] };
  if (isVersion(text)) return { version: text, findings: [] };
  const plain = text.replace(/^v(?=\d)/, "");
  const full = /^\d+(?:\.\d+)?$/.test(plain) ? `${plain}${plain.includes(".") ? ".0" : ".0.0"}` : plain;
  if (isVersion(full)) {
    const message = `The version ${quote(text)} is published as ${full}; write it so in the manifest`;
    return { version: full, findings: [{ rule: "version-completed", severity: "low", message, file, pointer }] };
  }
  const message = `The version ${quote(text)} is not MAJOR.MINOR.PATCH; the one that is given on publishing counts`;
  return { findings: [{ rule: "version-not-semver", severity: "medium", message, file, pointer }] };
}
